//! What a script may know of the world: a clock that stands still, randomness that it is given, and a console.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::object::{Accessor, Property};
use rquickjs::{Array, Coerced, Ctx, Exception, Function, IntoJs, Object, U8Clamped, Value};

use crate::message::{LineLevel, LogLine, MOST_LOG_BYTES, MOST_LOG_LINES};

/// Longest line of the console, in characters.
const LONGEST_LINE: usize = 8_192;
/// Most bytes that are drawn at once, as browsers have it: Web Cryptography, `getRandomValues`.
const MOST_DRAWN: usize = 65_536;

/// What the functions of the world read, which a job sets.
#[derive(Default)]
pub(crate) struct World {
    /// Milliseconds since 1970.
    now: Cell<f64>,
    random: RefCell<Random>,
    console: RefCell<Console>,
}

impl World {
    /// Sets the clock, to milliseconds since 1970, and what is drawn from.
    pub(crate) fn set(&self, now: i64, seed: [u32; 4]) {
        #[expect(clippy::cast_precision_loss, reason = "JavaScript's time has no more than 53 bits")]
        self.now.set(now as f64);
        self.random.replace(Random::new(seed));
    }

    /// The lines that were written, and how many more were not kept.
    pub(crate) fn written(&self) -> (Vec<LogLine>, u64) {
        let Console { lines, dropped, .. } = self.console.take();
        (lines, dropped)
    }
}

/// What a script wrote to its console.
#[derive(Default)]
struct Console {
    lines: Vec<LogLine>,
    bytes: usize,
    dropped: u64,
}

impl Console {
    /// Whether nothing more is kept. Counts the line that was meant to be.
    fn is_full(&mut self) -> bool {
        let full = self.lines.len() >= MOST_LOG_LINES || self.bytes >= MOST_LOG_BYTES;
        self.dropped = self.dropped.saturating_add(u64::from(full));
        full
    }

    fn write(&mut self, level: LineLevel, text: String) {
        if self.lines.len() >= MOST_LOG_LINES || self.bytes.saturating_add(text.len()) > MOST_LOG_BYTES {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.bytes = self.bytes.saturating_add(text.len());
        self.lines.push(LogLine { level, text });
    }
}

/// sfc32, by Chris Doty-Humphrey (`PractRand`).
#[derive(Default)]
struct Random([u32; 4]);

impl Random {
    fn new(seed: [u32; 4]) -> Self {
        let mut random = Self(seed);
        for _ in 0..15 {
            random.draw();
        }
        random
    }

    fn draw(&mut self) -> u32 {
        let [a, b, c, d] = self.0;
        let drawn = a.wrapping_add(b).wrapping_add(d);
        self.0 = [b ^ (b >> 9), c.wrapping_add(c << 3), c.rotate_left(21).wrapping_add(drawn), d.wrapping_add(1)];
        drawn
    }

    /// At least 0 and less than 1, with 53 bits.
    fn fraction(&mut self) -> f64 {
        let (high, low) = (self.draw() >> 5, self.draw() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    /// A random UUID: RFC 9562, version 4.
    fn uuid(&mut self) -> String {
        let (first, second) = (self.draw(), self.draw() & 0xFFFF);
        let (third, fourth) = (self.draw() & 0xFFF, 0x8000 | (self.draw() & 0x3FFF));
        format!("{first:08x}-{second:04x}-4{third:03x}-{fourth:04x}-{:08x}{:04x}", self.draw(), self.draw() & 0xFFFF)
    }
}

/// Puts the world in place of the engine's own.
pub(crate) fn furnish<'js>(ctx: &Ctx<'js>, world: &Rc<World>) -> rquickjs::Result<()> {
    let globals = ctx.globals();
    let mut options = EvalOptions::default();
    options.filename = Some("flowforge".to_owned());
    let prelude: Function<'_> = ctx.eval_with_options(include_str!("prelude.js"), options)?;
    let here = Rc::clone(world);
    let now = Function::new(ctx.clone(), move || here.now.get())?.with_name("now")?;
    let here = Rc::clone(world);
    let write = move |level, cut, values| line(&here.console, level, &Cut(cut), &values);
    prelude.call::<_, ()>((now, Function::new(ctx.clone(), write)?, LONGEST_LINE))?;

    let performance = Object::new(ctx.clone())?;
    performance.set("now", Function::new(ctx.clone(), || 0)?.with_name("now")?)?;
    let here = Rc::clone(world);
    performance.prop("timeOrigin", Accessor::new_get(move || here.now.get()).enumerable())?;
    put(&globals, "performance", performance)?;

    let here = Rc::clone(world);
    let random = Function::new(ctx.clone(), move || here.random.borrow_mut().fraction())?.with_name("random")?;
    put(&globals.get::<_, Object<'_>>("Math")?, "random", random)?;

    let crypto = Object::new(ctx.clone())?;
    let here = Rc::clone(world);
    let uuid = Function::new(ctx.clone(), move || here.random.borrow_mut().uuid())?.with_name("randomUUID")?;
    crypto.set("randomUUID", uuid)?;
    let here = Rc::clone(world);
    let fill = move |ctx: Ctx<'js>, list: Value<'js>| fill(&ctx, list, &mut here.random.borrow_mut());
    crypto.set("getRandomValues", Function::new(ctx.clone(), fill)?.with_name("getRandomValues")?)?;
    put(&globals, "crypto", crypto)?;

    // They only make sense between threads, of which there are none.
    globals.remove("SharedArrayBuffer")?;
    globals.remove("Atomics")
}

/// As the language has its own: it can be replaced, and is not among the keys.
fn put<'js>(target: &Object<'js>, name: &str, value: impl IntoJs<'js>) -> rquickjs::Result<()> {
    target.prop(name, Property::from(value).writable().configurable())
}

/// `crypto.getRandomValues`.
fn fill<'js>(ctx: &Ctx<'js>, list: Value<'js>, random: &mut Random) -> rquickjs::Result<Value<'js>> {
    let Some((object, (bytes, width))) = list.as_object().and_then(|list| Some((list, size_of_integers(list)?))) else {
        return Err(Exception::throw_type(ctx, "crypto.getRandomValues takes a typed array of integers"));
    };
    if bytes > MOST_DRAWN {
        let told = format!("crypto.getRandomValues gives at most {MOST_DRAWN} bytes at once");
        return Err(Exception::throw_range(ctx, &told));
    }
    for place in 0..u32::try_from(bytes / width).unwrap_or_default() {
        object.set(place, random.draw())?;
    }
    Ok(list)
}

/// How many bytes a typed array of integers has, and each of its numbers; nothing for anything else.
fn size_of_integers(list: &Object<'_>) -> Option<(usize, usize)> {
    let u8s = || list.as_typed_array::<u8>().map(|list| (list.as_raw(), 1));
    let i8s = || list.as_typed_array::<i8>().map(|list| (list.as_raw(), 1));
    let clamped = || list.as_typed_array::<U8Clamped>().map(|list| (list.as_raw(), 1));
    let u16s = || list.as_typed_array::<u16>().map(|list| (list.as_raw(), 2));
    let i16s = || list.as_typed_array::<i16>().map(|list| (list.as_raw(), 2));
    let u32s = || list.as_typed_array::<u32>().map(|list| (list.as_raw(), 4));
    let i32s = || list.as_typed_array::<i32>().map(|list| (list.as_raw(), 4));
    let found = u8s().or_else(i8s).or_else(clamped).or_else(u16s).or_else(i16s).or_else(u32s).or_else(i32s);
    found.map(|(bytes, width)| (bytes.map_or(0, |bytes| bytes.len()), width))
}

/// Writes a line to the console. Never fails.
fn line<'js>(console: &RefCell<Console>, level: u8, cut: &Cut<'js>, values: &Array<'js>) {
    if console.borrow_mut().is_full() {
        return;
    }
    let mut text = String::new();
    for (place, value) in values.iter::<Value<'js>>().enumerate() {
        let Some(value) = value.ok().filter(|_| text.len() < LONGEST_LINE) else { break };
        if place > 0 {
            text.push(' ');
        }
        // What is shown may write lines of its own.
        text.push_str(&cut.shown(&value));
    }
    if let Some((end, _)) = text.char_indices().nth(LONGEST_LINE) {
        text.truncate(end);
    }
    let level = match level {
        0 => LineLevel::Debug,
        1 => LineLevel::Info,
        2 => LineLevel::Warn,
        _ => LineLevel::Error,
    };
    console.borrow_mut().write(level, text);
}

/// Cuts texts to what a line holds while they still are the script's: only that is copied out of its memory.
struct Cut<'js>(Function<'js>);

impl<'js> Cut<'js> {
    /// What a line says of a value. Asks nothing of values that may be traps but their JSON, and of errors what they say.
    fn shown(&self, value: &Value<'js>) -> String {
        let text = if value.is_function() {
            Ok("[function]".to_owned())
        } else if let Some(symbol) = value.as_symbol() {
            let description = symbol.description();
            let text =
                description.and_then(|told| if told.is_undefined() { Ok(String::new()) } else { self.text(&told) });
            text.map(|text| format!("Symbol({text})"))
        } else if value.is_big_int() {
            self.text(value).map(|digits| digits + "n")
        } else if let Some(error) = value.as_object().filter(|_| value.is_error()) {
            self.error(error)
        } else if value.is_object() {
            self.json(value)
        } else {
            self.text(value)
        };
        text.unwrap_or_else(|_| {
            value.ctx().catch();
            let what =
                if value.is_array() { "[a list that cannot be shown]" } else { "[an object that cannot be shown]" };
            what.to_owned()
        })
    }

    fn text(&self, value: &Value<'js>) -> rquickjs::Result<String> {
        let Coerced(text) = value.get::<Coerced<rquickjs::String<'js>>>()?;
        self.0.call((text,))
    }

    fn json(&self, value: &Value<'js>) -> rquickjs::Result<String> {
        match value.ctx().json_stringify(value.clone())? {
            Some(text) => self.0.call((text,)),
            None => Ok("undefined".to_owned()),
        }
    }

    fn error(&self, error: &Object<'js>) -> rquickjs::Result<String> {
        Ok(format!("{}: {}", self.text(&error.get("name")?)?, self.text(&error.get("message")?)?))
    }
}
