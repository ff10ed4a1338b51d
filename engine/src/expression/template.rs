//! JSON with `{{ … }}` in its strings.

use serde_json::{Map, Value};

use super::budget::Budget;
use super::error::{ExpressionError, ExpressionErrorCode, Fault};
use super::lexer::{Lexer, TokenKind, column_of};
use super::value::{MAX_VALUE_DEPTH, Val, write_text};
use super::{Expression, Finding, References, Scope, Types};
use crate::port::PortType;

/// A JSON value whose strings may hold expressions, at any depth; object keys stay as they are.
///
/// A string that is exactly one `{{ … }}` becomes the expression's value with its type. In any other string the value
/// becomes text: nothing for null, lists and objects as compact JSON. `\{{` is a literal `{{`.
#[derive(Debug)]
pub struct Template {
    root: Piece,
    references: References,
}

#[derive(Debug)]
enum Piece {
    /// Nothing to evaluate in it.
    Literal(Value),
    /// Exactly one expression; where it stands, for errors.
    Whole(Place, Box<Expression>),
    Text(Vec<Fragment>),
    List(Vec<Piece>),
    Object(Vec<(String, Piece)>),
}

#[derive(Debug)]
enum Fragment {
    Text(String),
    Expression(Place, Box<Expression>),
}

/// The JSON pointer of a string, and how many characters of it come before the expression.
#[derive(Debug)]
struct Place {
    path: String,
    offset: usize,
}

impl Template {
    /// Reads `value`, expressions and all.
    ///
    /// # Errors
    /// With the JSON pointer of the first string that is wrong, and the column in it.
    pub fn compile(value: &Value) -> Result<Self, ExpressionError> {
        let mut references = References::default();
        let root = piece(value, &mut String::new(), 0, &mut references)?;
        Ok(Self { root, references })
    }

    /// The value under `scope`. Literal parts are copied without charge: the definition's size bounds them.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], with the JSON pointer of the string.
    pub fn render(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Value, ExpressionError> {
        rendered(&self.root, scope, budget)
    }

    /// The type of the whole under these types; notes what each string with expressions gives, and what is wrong.
    pub(super) fn infer(
        &self,
        types: &Types,
        places: &mut Vec<(String, PortType)>,
        problems: &mut Vec<Finding>,
    ) -> PortType {
        inferred(&self.root, types, places, problems)
    }

    /// What all its expressions read.
    pub fn references(&self) -> &References {
        &self.references
    }

    /// Whether rendering gives the same value under every scope, because there is no expression in it.
    pub fn is_literal(&self) -> bool {
        matches!(self.root, Piece::Literal(_))
    }
}

fn piece(
    value: &Value,
    path: &mut String,
    depth: usize,
    references: &mut References,
) -> Result<Piece, ExpressionError> {
    if depth > MAX_VALUE_DEPTH {
        let message = format!("the value is nested more than {MAX_VALUE_DEPTH} deep");
        return Err(Fault::new(ExpressionErrorCode::TooDeep, message).into_error().within(path, 0));
    }
    let here = path.len();
    match value {
        Value::String(text) => string(text, path, references),
        Value::Array(elements) => {
            let mut pieces = Vec::with_capacity(elements.len());
            for (index, element) in elements.iter().enumerate() {
                path.push_str(&format!("/{index}"));
                pieces.push(piece(element, path, depth + 1, references)?);
                path.truncate(here);
            }
            let literal = pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)));
            Ok(if literal { Piece::Literal(value.clone()) } else { Piece::List(pieces) })
        }
        Value::Object(object) => {
            let mut pieces = Vec::with_capacity(object.len());
            for (key, value) in object {
                path.push('/');
                path.push_str(&key.replace('~', "~0").replace('/', "~1"));
                pieces.push((key.clone(), piece(value, path, depth + 1, references)?));
                path.truncate(here);
            }
            let literal = pieces.iter().all(|(_, piece)| matches!(piece, Piece::Literal(_)));
            Ok(if literal { Piece::Literal(value.clone()) } else { Piece::Object(pieces) })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Piece::Literal(value.clone())),
    }
}

/// Cuts a string at its expressions.
fn string(text: &str, path: &str, references: &mut References) -> Result<Piece, ExpressionError> {
    let mut fragments = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find("{{")).map(|found| at + found) {
        let before = text.get(at..open).unwrap_or_default();
        let unescaped = before.trim_end_matches('\\');
        let backslashes = before.len() - unescaped.len();
        literal.push_str(unescaped);
        literal.push_str(&"\\".repeat(backslashes / 2));
        if backslashes % 2 == 1 {
            literal.push_str("{{");
            at = open + 2;
            continue;
        }
        let begin = open + 2;
        let end = closing(text, begin)
            .map_err(|(fault, byte)| fault.at(column_of(text, byte)).into_error().within(path, 0))?;
        let offset = text.get(..begin).map_or(0, |before| before.chars().count());
        let source = text.get(begin..end).unwrap_or_default();
        let expression = Expression::compile(source).map_err(|error| error.within(path, offset))?;
        references.absorb(expression.references());
        let place = Place { path: path.to_owned(), offset };
        at = end + 2;
        if open == 0 && at == text.len() {
            return Ok(Piece::Whole(place, Box::new(expression)));
        }
        if !literal.is_empty() {
            fragments.push(Fragment::Text(std::mem::take(&mut literal)));
        }
        fragments.push(Fragment::Expression(place, Box::new(expression)));
    }
    literal.push_str(text.get(at..).unwrap_or_default());
    if fragments.is_empty() {
        // `\{{` made it differ from its source; it is a literal all the same.
        return Ok(Piece::Literal(Value::String(literal)));
    }
    if !literal.is_empty() {
        fragments.push(Fragment::Text(literal));
    }
    Ok(Piece::Text(fragments))
}

/// The byte of the `}}` that ends the expression beginning at `begin`: not one inside a text, nor two braces that close
/// objects.
fn closing(text: &str, begin: usize) -> Result<usize, (Fault, usize)> {
    let mut lexer = Lexer::new(text, begin);
    let mut open_braces = 0_usize;
    loop {
        lexer.skip_blanks(true);
        if open_braces == 0 && lexer.rest().starts_with("}}") {
            return Ok(lexer.position());
        }
        let Some(token) = lexer.token()? else {
            let message = "this `{{` is never closed by `}}`; a literal one is written \\{{";
            return Err((Fault::syntax(message), begin.saturating_sub(2)));
        };
        match text.get(token.start..token.end) {
            Some("{") if token.kind == TokenKind::Symbol => open_braces += 1,
            Some("}") if token.kind == TokenKind::Symbol => open_braces = open_braces.saturating_sub(1),
            _ => {}
        }
    }
}

fn inferred(
    piece: &Piece,
    types: &Types,
    places: &mut Vec<(String, PortType)>,
    problems: &mut Vec<Finding>,
) -> PortType {
    match piece {
        Piece::Literal(value) => PortType::of_value(value),
        Piece::Whole(place, expression) => {
            let r#type = place.checked(expression, types, problems);
            places.push((place.path.clone(), r#type.clone()));
            r#type
        }
        Piece::Text(fragments) => {
            for fragment in fragments {
                if let Fragment::Expression(place, expression) = fragment {
                    place.checked(expression, types, problems);
                    if places.last().is_none_or(|(path, _)| *path != place.path) {
                        places.push((place.path.clone(), PortType::String));
                    }
                }
            }
            PortType::String
        }
        Piece::List(pieces) => {
            let items: Vec<PortType> = pieces.iter().map(|piece| inferred(piece, types, places, problems)).collect();
            PortType::list_of(PortType::union(items))
        }
        Piece::Object(pieces) => {
            let fields = pieces.iter().map(|(key, piece)| (key.clone(), inferred(piece, types, places, problems)));
            PortType::Object { fields: fields.collect(), open: false }
        }
    }
}

impl Place {
    fn checked(&self, expression: &Expression, types: &Types, problems: &mut Vec<Finding>) -> PortType {
        let checked = expression.check(types);
        problems.extend(checked.problems.into_iter().map(|finding| finding.within(&self.path, self.offset)));
        checked.r#type
    }
}

fn rendered(piece: &Piece, scope: &dyn Scope, budget: &mut Budget) -> Result<Value, ExpressionError> {
    match piece {
        Piece::Literal(value) => Ok(value.clone()),
        Piece::Whole(place, expression) => evaluated(place, expression, scope, budget),
        Piece::Text(fragments) => {
            let mut text = String::new();
            for fragment in fragments {
                match fragment {
                    Fragment::Text(literal) => text.push_str(literal),
                    Fragment::Expression(place, expression) => {
                        let value = evaluated(place, expression, scope, budget)?;
                        let written = write_text(&mut text, &Val::Owned(value), budget);
                        written.map_err(|fault| fault.into_error().within(&place.path, 0))?;
                    }
                }
            }
            Ok(Value::String(text))
        }
        Piece::List(pieces) => {
            let values = pieces.iter().map(|piece| rendered(piece, scope, budget));
            Ok(Value::Array(values.collect::<Result<_, _>>()?))
        }
        Piece::Object(pieces) => {
            let mut object = Map::new();
            for (key, piece) in pieces {
                object.insert(key.clone(), rendered(piece, scope, budget)?);
            }
            Ok(Value::Object(object))
        }
    }
}

fn evaluated(
    place: &Place,
    expression: &Expression,
    scope: &dyn Scope,
    budget: &mut Budget,
) -> Result<Value, ExpressionError> {
    if let Some(literal) = expression.literal() {
        return Ok(literal.clone());
    }
    expression.evaluate(scope, budget).map_err(|error| error.within(&place.path, place.offset))
}
