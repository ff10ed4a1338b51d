use super::*;

#[test]
fn the_schema_file_is_what_the_server_serves() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == schema_sdl(), "schema.graphql is out of date; run `make schema`");
}

#[test]
fn everything_in_the_schema_has_a_description() {
    let sdl = schema_sdl();
    let lines: Vec<&str> = sdl.lines().collect();
    let undescribed: Vec<&str> = lines
        .windows(2)
        .filter(|pair| is_named(pair[1]) && !pair[0].trim_end().ends_with("\"\"\""))
        .map(|pair| pair[1])
        // The library makes connections without a word.
        .filter(|line| !line.contains("Connection {"))
        .collect();
    assert_eq!(undescribed, Vec::<&str>::new());
}

/// Whether a line of SDL begins a type, a field, an argument or an enum's value.
fn is_named(line: &str) -> bool {
    let text = line.trim();
    let begins = ["type ", "enum ", "input ", "union ", "interface ", "scalar "];
    let is_root = ["query:", "mutation:", "subscription:", ")", "\""].iter().any(|word| text.starts_with(word));
    let is_value = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let is_member =
        line.starts_with('\t') && !text.is_empty() && (text.contains(": ") || text.ends_with('(') || is_value);
    let in_prose = !text.contains(": ") && text.contains(' ');
    begins.iter().any(|word| line.starts_with(word)) || (is_member && !is_root && !in_prose && is_identifier(text))
}

/// Whether a line begins with a name and goes on as a member does, not as a sentence does.
fn is_identifier(text: &str) -> bool {
    let name: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    matches!(text.get(name.len()..).and_then(|rest| rest.chars().next()), None | Some(':' | '('))
}
