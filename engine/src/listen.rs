//! What inside starts runs: events that nodes publish, runs that fail, runs that end. Which trigger hears what is decided
//! here; nothing here knows where it is kept.

use serde_json::Value;

use crate::catalog::Fault;
use crate::expression::{Budget, Scope, Template};
use crate::run::status::RunStatus;

#[cfg(test)]
mod tests;

/// How deep a chain of runs that start each other inside may become.
pub const MOST_DEEP: u32 = 10;
/// Longest subject in bytes.
const LONGEST: usize = 200;
/// Most words of a subject.
const MOST_WORDS: usize = 16;
/// The one name that a filter reads.
const TRIGGER: &str = "trigger";

/// Why a text is no subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// It is empty or too long.
    #[error("a subject has 1 to {LONGEST} characters")]
    Length,
    /// It has too many words.
    #[error("a subject has at most {MOST_WORDS} words")]
    Words,
    /// One of its words is none.
    #[error("a subject is words of letters, digits, `-` and `_`, joined by dots, such as `order.paid`")]
    Word,
    /// `>` stands before the end.
    #[error("`>` stands for all further words and can only be the last one")]
    RestNotLast,
}

/// Whether an event may be published under this subject.
///
/// # Errors
/// What is wrong with it.
pub fn check_subject(subject: &str) -> Result<(), SubjectError> {
    words(subject)?.all(is_word).then_some(()).ok_or(SubjectError::Word)
}

fn words(text: &str) -> Result<impl Iterator<Item = &str>, SubjectError> {
    if text.is_empty() || text.len() > LONGEST {
        return Err(SubjectError::Length);
    }
    if text.split('.').count() > MOST_WORDS {
        return Err(SubjectError::Words);
    }
    Ok(text.split('.'))
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Which subjects: `*` stands for one word, `>` at the end for one or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    One,
    Rest,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, SubjectError> {
        let token = |word: &str| match word {
            "*" => Ok(Token::One),
            ">" => Ok(Token::Rest),
            word if is_word(word) => Ok(Token::Word(word.to_owned())),
            _ => Err(SubjectError::Word),
        };
        let tokens = words(text)?.map(token).collect::<Result<Vec<_>, _>>()?;
        let before = tokens.len() - 1;
        if tokens.iter().take(before).any(|token| *token == Token::Rest) {
            return Err(SubjectError::RestNotLast);
        }
        Ok(Self(tokens))
    }

    /// Whether it names this subject.
    pub fn matches(&self, subject: &str) -> bool {
        let mut words = subject.split('.');
        for token in &self.0 {
            match (token, words.next()) {
                (Token::Rest, Some(_)) => return true,
                (Token::One, Some(_)) => {}
                (Token::Word(wanted), Some(word)) if wanted == word => {}
                _ => return false,
            }
        }
        words.next().is_none()
    }
}

/// What a trigger listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ear {
    /// `trigger.event`
    Event,
    /// `trigger.error`
    Error,
    /// `trigger.workflow`
    Workflow,
}

/// The config of a trigger that listens, read.
#[derive(Debug)]
pub struct Listener {
    to: To,
    filter: Option<Template>,
}

#[derive(Debug)]
enum To {
    Event { subject: Pattern, anywhere: bool },
    Failures { of: Of },
    Ends { workflow: String, statuses: Vec<RunStatus> },
}

/// Whose failures.
#[derive(Debug)]
enum Of {
    Workspace,
    Project,
    Workflow(String),
}

/// Something that happened inside, as one trigger sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happening<'a> {
    /// What.
    pub what: What<'a>,
    /// The name of the workflow that it happened in.
    pub workflow: &'a str,
    /// Whether that is in the trigger's project.
    pub same_project: bool,
    /// Whether it is the trigger's own workflow.
    pub own: bool,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What<'a> {
    /// A node published an event under this subject.
    Published(&'a str),
    /// A run ended so.
    Ended(RunStatus),
}

/// Whether a trigger is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It is not.
    No,
    /// It starts a run.
    Yes,
    /// Its filter cannot tell, and says why.
    Unclear(String),
}

impl Listener {
    /// Reads a config.
    ///
    /// # Errors
    /// Everything that is wrong with it beyond what its JSON Schema says.
    pub fn read(ear: Ear, config: &Value) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let to = match ear {
            Ear::Event => event(config),
            Ear::Error => error(config),
            Ear::Workflow => ends(config),
        };
        let to = to.map_err(|fault| faults.push(fault)).ok();
        let filter = config.get("filter").filter(|filter| !filter.is_null()).map(filter).transpose();
        let filter = filter.map_err(|fault| faults.push(fault)).unwrap_or_default();
        match to {
            Some(to) if faults.is_empty() => Ok(Self { to, filter }),
            _ => Err(faults),
        }
    }

    /// Whether this is meant for the trigger, the filter aside.
    pub fn listens_to(&self, happening: Happening<'_>) -> bool {
        let Happening { what, workflow, same_project, own } = happening;
        match (&self.to, what) {
            (To::Event { subject, anywhere }, What::Published(published)) => {
                (same_project || *anywhere) && subject.matches(published)
            }
            (To::Failures { of }, What::Ended(status)) => {
                let is_meant = match of {
                    Of::Workspace => true,
                    Of::Project => same_project,
                    Of::Workflow(name) => same_project && name == workflow,
                };
                // A workflow that mends failures would otherwise start itself for its own.
                is_meant && !own && matches!(status, RunStatus::Failed | RunStatus::TimedOut)
            }
            (To::Ends { workflow: name, statuses }, What::Ended(status)) => {
                same_project && name == workflow && statuses.contains(&status)
            }
            (To::Event { .. }, What::Ended(_)) | (To::Failures { .. } | To::Ends { .. }, What::Published(_)) => false,
        }
    }

    /// What the filter says to what a run would be given.
    pub fn lets_pass(&self, given: &Value) -> Heard {
        let Some(filter) = &self.filter else { return Heard::Yes };
        match filter.render(&Given(given), &mut Budget::default()) {
            Ok(Value::Bool(true)) => Heard::Yes,
            Ok(Value::Bool(false)) => Heard::No,
            Ok(_) => Heard::Unclear("the filter gives neither true nor false".to_owned()),
            Err(error) => Heard::Unclear(format!("the filter fails: {error}")),
        }
    }
}

/// The names of a filter.
struct Given<'a>(&'a Value);

impl Scope for Given<'_> {
    fn root(&self, name: &str) -> Option<&Value> {
        (name == TRIGGER).then_some(self.0)
    }

    fn node_output(&self, _key: &str) -> Option<&Value> {
        None
    }
}

fn text<'a>(config: &'a Value, field: &str) -> Option<&'a str> {
    config.get(field).and_then(Value::as_str)
}

fn fault(path: &str, message: impl Into<String>, hint: &str) -> Fault {
    Fault { path: path.to_owned(), message: message.into(), hint: hint.to_owned() }
}

fn event(config: &Value) -> Result<To, Fault> {
    let hint =
        "write words joined by dots, `*` for any one word, `>` at the end for all further ones, such as `order.>`";
    let subject = text(config, "subject").ok_or_else(|| fault("/subject", "the subject is missing", hint))?;
    let subject = Pattern::read(subject).map_err(|error| fault("/subject", error.to_string(), hint))?;
    Ok(To::Event { subject, anywhere: text(config, "from") == Some("workspace") })
}

fn error(config: &Value) -> Result<To, Fault> {
    let of = match (text(config, "of"), text(config, "workflow")) {
        (Some("workflow"), Some(name)) => Of::Workflow(name.to_owned()),
        (Some("workflow"), None) => {
            return Err(fault("/workflow", "the workflow is missing", "name the workflow whose failures count"));
        }
        (_, Some(_)) => {
            let hint = "set `of` to `workflow`, or leave `workflow` out";
            return Err(fault("/workflow", "`workflow` counts only when `of` is `workflow`", hint));
        }
        (Some("workspace"), None) => Of::Workspace,
        (_, None) => Of::Project,
    };
    Ok(To::Failures { of })
}

fn ends(config: &Value) -> Result<To, Fault> {
    let hint = "name the workflow whose runs are waited for";
    let workflow = text(config, "workflow").ok_or_else(|| fault("/workflow", "the workflow is missing", hint))?;
    let named = config.get("statuses").and_then(Value::as_array);
    let wanted = |status: &RunStatus| {
        status.is_final() && named.is_none_or(|named| named.iter().any(|name| name.as_str() == Some(status.as_str())))
    };
    let statuses = RunStatus::ALL.iter().copied().filter(wanted).collect();
    Ok(To::Ends { workflow: workflow.to_owned(), statuses })
}

fn filter(written: &Value) -> Result<Template, Fault> {
    let hint = "write one expression that is true or false, such as `{{ trigger.data.total > 100 }}`";
    let template = Template::compile(written).map_err(|error| fault("/filter", error.to_string(), hint))?;
    let reads = template.references();
    match reads.roots.keys().find(|root| *root != TRIGGER) {
        Some(root) => Err(fault("/filter", format!("a filter reads `trigger` only, not `{root}`"), hint)),
        None => Ok(template),
    }
}
