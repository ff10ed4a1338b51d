//! What a node type says to people, by message key and language.
//!
//! Keys: `title`, `summary`, `docs`, and for each field of the config `config.<path>.title` and
//! `config.<path>.description`, where the path has the names of the fields around it and `*` for any name or item.

use serde::Serialize;
use serde_json::Value;

use super::NodeDescriptor;

/// The language of a descriptor's own words.
pub const ENGLISH: &str = "en";

/// A node type's words in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Translation {
    /// The language, such as `de`.
    pub language: &'static str,
    /// Texts by message key. A key that is absent falls back to English.
    pub messages: &'static [(&'static str, &'static str)],
    /// Other words that people search for in this language.
    pub aliases: &'static [&'static str],
}

impl Translation {
    /// The text of a key.
    pub fn find(&self, key: &str) -> Option<&'static str> {
        self.messages.iter().find(|(known, _)| *known == key).map(|(_, text)| *text)
    }
}

/// A node type's words in the language that a reader asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// The language that they are in.
    pub language: &'static str,
    /// A few words for a palette.
    pub title: &'static str,
    /// One sentence: what it does.
    pub summary: &'static str,
    /// Markdown: what it takes, what it gives, one example.
    pub docs: &'static str,
    /// Other words that people search for, those of English included: names of techniques are the same everywhere.
    pub aliases: Vec<&'static str>,
    /// The config's schema with titles and descriptions in this language.
    pub config_schema: Value,
}

impl NodeDescriptor {
    /// Its words in the language of a locale such as `de` or `de-AT`; English when it has no others.
    pub fn words(&self, locale: &str) -> Words {
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        let translation = self.translations.iter().find(|known| known.language.eq_ignore_ascii_case(language));
        let text = |key, english| translation.and_then(|translation| translation.find(key)).unwrap_or(english);
        let mut aliases = translation.map(|translation| translation.aliases.to_vec()).unwrap_or_default();
        aliases.extend(self.aliases.iter().filter(|alias| !aliases.contains(alias)).copied().collect::<Vec<_>>());
        let mut config_schema = self.config_schema.clone();
        if let Some(translation) = translation {
            each_field(&mut config_schema, "config", &mut |path, field| {
                for word in ["title", "description"] {
                    let translated = translation.find(&format!("{path}.{word}"));
                    if let (Some(text), Some(place)) = (translated, field.get_mut(word)) {
                        *place = Value::from(text);
                    }
                }
            });
        }
        Words {
            language: translation.map_or(ENGLISH, |translation| translation.language),
            title: text("title", self.title),
            summary: text("summary", self.summary),
            docs: text("docs", self.docs),
            aliases,
            config_schema,
        }
    }

    /// The key of every text that a translation should have.
    pub fn message_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = ["title", "summary", "docs"].map(str::to_owned).into();
        each_field(&mut self.config_schema.clone(), "config", &mut |path, field| {
            let words = ["title", "description"].into_iter().filter(|word| field.get(*word).is_some());
            keys.extend(words.map(|word| format!("{path}.{word}")));
        });
        keys
    }
}

/// Calls `with` for each field below a schema and its path; for a field of any name, or an item, that part is `*`.
fn each_field(schema: &mut Value, path: &str, with: &mut dyn FnMut(&str, &mut Value)) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, field) in properties {
            let path = format!("{path}.{name}");
            with(&path, field);
            each_field(field, &path, with);
        }
    }
    for any in ["additionalProperties", "items"] {
        if let Some(field @ Value::Object(_)) = schema.get_mut(any) {
            let path = format!("{path}.*");
            with(&path, field);
            each_field(field, &path, with);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::NodeCategory;
    use serde_json::json;

    const GERMAN: Translation = Translation {
        language: "de",
        messages: &[("title", "Ding"), ("config.size.title", "Größe"), ("config.parts.*.title", "Teil")],
        aliases: &["sache", "api"],
    };

    fn thing() -> NodeDescriptor {
        NodeDescriptor {
            title: "Thing",
            summary: "Does a thing.",
            aliases: &["api", "stuff"],
            translations: &[GERMAN],
            config_schema: json!({"properties": {
                "size": {"title": "Size", "description": "How much."},
                "parts": {"title": "Parts", "items": {"title": "Part"}}
            }}),
            ..NodeDescriptor::new("test.thing", 1, NodeCategory::Data)
        }
    }

    #[test]
    fn a_reader_gets_the_words_of_their_language_and_english_for_what_is_missing() {
        let words = thing().words("de-AT");
        assert_eq!((words.language, words.title, words.summary), ("de", "Ding", "Does a thing."));
        assert_eq!(words.aliases, ["sache", "api", "stuff"]);
        assert_eq!(words.config_schema["properties"]["size"], json!({"title": "Größe", "description": "How much."}));
        assert_eq!(words.config_schema["properties"]["parts"]["items"]["title"], json!("Teil"));
        let words = thing().words("fr");
        assert_eq!((words.language, words.title, words.aliases), ("en", "Thing", vec!["api", "stuff"]));
    }

    #[test]
    fn every_text_has_a_key() {
        let keys = thing().message_keys();
        let fields = ["config.parts.title", "config.parts.*.title", "config.size.title", "config.size.description"];
        assert_eq!(keys, [["title", "summary", "docs"].as_slice(), &fields].concat());
    }
}
