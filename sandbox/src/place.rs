//! From places in what QuickJS was given to places in what people wrote.

use crate::message::{Frame, SyntaxFault};

/// The name that a script has in stacks.
pub(crate) const FILE: &str = "code.js";
/// What stands before a script on its first line.
pub(crate) const BEFORE: &str = "(async function (input) {";
/// What stands after it.
pub(crate) const AFTER: &str = "\n})";

/// Most frames of one error.
const MOST_FRAMES: usize = 32;
/// Most characters of a function's name.
const LONGEST_NAME: usize = 80;

/// The frames of a stack that lie in the script, in places of the script.
pub(crate) fn frames(stack: &str) -> Vec<Frame> {
    stack.lines().filter_map(frame).take(MOST_FRAMES).collect()
}

/// `    at name (code.js:3:5)` or `    at code.js:3:5`.
fn frame(line: &str) -> Option<Frame> {
    let line = line.trim().strip_prefix("at ")?;
    let (function, place) = match line.rsplit_once(" (") {
        Some((function, place)) => (function, place.strip_suffix(')')?),
        None => ("", line),
    };
    let (line, column) = place.strip_prefix(FILE)?.strip_prefix(':')?.split_once(':')?;
    let (line, column) = written(line.parse().ok()?, column.parse().ok()?);
    let function = if function == "<anonymous>" { "" } else { function };
    Some(Frame { function: function.chars().take(LONGEST_NAME).collect(), line, column })
}

/// Where a script cannot be read, from the stack of the error that says so. What misses at the very end is missed at the
/// end of what people wrote.
pub(crate) fn fault(message: String, stack: &str, source: &str) -> SyntaxFault {
    let found = stack.lines().find_map(frame);
    let lines = u32::try_from(source.lines().count()).unwrap_or(u32::MAX).max(1);
    let end = || {
        let column = source.lines().last().map_or(0, |line| line.chars().count());
        (lines, u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1))
    };
    let (line, column) =
        found.map(|place| (place.line, place.column)).filter(|(line, _)| *line <= lines).unwrap_or_else(end);
    SyntaxFault { message, line, column }
}

fn written(line: u32, column: u32) -> (u32, u32) {
    let before = u32::try_from(BEFORE.len()).unwrap_or(0);
    (line, if line == 1 { column.saturating_sub(before).max(1) } else { column.max(1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_frames_of_the_script_are_told_in_its_own_places() {
        let stack = "    at inner (code.js:3:7)\n    at <anonymous> (code.js:1:36)\n    at log (flowforge:9:1)\n    at code.js:4:2\n";
        let place = |function: &str, line, column| Frame { function: function.to_owned(), line, column };
        assert_eq!(frames(stack), [place("inner", 3, 7), place("", 1, 11), place("", 4, 2)]);
        assert_eq!(frames(&"    at f (code.js:2:1)\n".repeat(1_000)).len(), MOST_FRAMES);
        assert_eq!(frames("no stack at all\n    at f (code.js:x:1)\n at (code.js:1"), []);
    }

    #[test]
    fn a_fault_behind_the_end_is_a_fault_at_the_end() {
        let fault = fault("unexpected end".to_owned(), "    at code.js:3:3\n", "if (a) {\n  b");
        assert_eq!((fault.line, fault.column), (2, 4));
    }
}
