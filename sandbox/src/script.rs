//! A script in a QuickJS runtime of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::context::{EvalOptions, intrinsic};
use rquickjs::function::Constructor;
use rquickjs::promise::PromiseState;
use rquickjs::{
    ArrayBuffer, CatchResultExt as _, CaughtError, Context, Ctx, Function, Object, Promise, Runtime, Value,
};

use crate::message::{Failure, Job, Report, SyntaxFault, Thrown};
use crate::place;
use crate::world::{self, World};

/// The stack of a script, in bytes.
const STACK: usize = 1024 * 1024;
/// What is set aside of a script's memory, so that one that has used up the rest can be asked how it ended.
const SET_ASIDE: usize = 256 * 1024;
/// Memory that a child keeps between scripts, in bytes; about.
const KEPT_MEMORY: usize = 8 * 1024 * 1024;
/// How long reading a source may take.
const CHECK_TIME: Duration = Duration::from_secs(2);
/// How much reading a source may occupy.
const CHECK_MEMORY: usize = 64 * 1024 * 1024;
/// Longest message of an error, in characters.
const LONGEST_MESSAGE: usize = 2_000;
/// Longest name of an error, in characters.
const LONGEST_NAME: usize = 80;
/// Longest `code` of an error, in bytes; a longer one is none.
const LONGEST_CODE: usize = 64;

/// Everything but clocks, weak references (which show when memory is collected) and what a browser adds.
type Language = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
);

/// A runtime that no script has seen yet.
pub(crate) struct Room {
    world: Rc<World>,
    context: Context,
    runtime: Runtime,
}

impl Room {
    /// `None` when there is no memory for one.
    pub(crate) fn new() -> Option<Self> {
        let runtime = Runtime::new().ok()?;
        runtime.set_max_stack_size(STACK);
        let context = Context::custom::<Language>(&runtime).ok()?;
        let world = Rc::<World>::default();
        context.with(|ctx| world::furnish(&ctx, &world)).ok()?;
        Some(Self { world, context, runtime })
    }
}

/// Makes the C library read what it reads once, and finds out that it took UTC: a script must not see where it runs.
pub(crate) fn warm_up() -> Result<(), String> {
    // The C library learns from the first large piece that comes back to it to keep pieces up to that size, instead of
    // giving the memory of each script back to the system and asking for it again: mallopt(3), M_MMAP_THRESHOLD.
    drop(std::hint::black_box(vec![0u8; KEPT_MEMORY]));
    let room = Room::new().ok_or("there is no memory for a runtime")?;
    let offset = room.context.with(|ctx| ctx.eval::<i32, _>("new Date(2026, 6, 1).getTimezoneOffset()"));
    match offset {
        Ok(0) => Ok(()),
        Ok(minutes) => Err(format!("the clock is {minutes} minutes off UTC")),
        Err(error) => Err(error.to_string()),
    }
}

/// How long a script keeps the processor while others want it. The system itself lets a process that computes go on for
/// milliseconds, whatever its priority, and the threads of the server have to wait for that.
const AT_A_STRETCH: Duration = Duration::from_micros(500);

/// When a script has to be over.
#[derive(Clone)]
struct Deadline {
    at: Instant,
    passed: Rc<Cell<bool>>,
    /// When it last let others go first.
    yielded: Rc<Cell<Instant>>,
}

impl Deadline {
    fn set(runtime: &Runtime, time: Duration) -> Self {
        let now = Instant::now();
        let deadline = Self { at: now + time, passed: Rc::default(), yielded: Rc::new(Cell::new(now)) };
        let asked = deadline.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || asked.is_over())));
        deadline
    }

    fn is_over(&self) -> bool {
        let now = Instant::now();
        let over = self.passed.get() || now >= self.at;
        self.passed.set(over);
        if now.saturating_duration_since(self.yielded.get()) >= AT_A_STRETCH {
            std::thread::yield_now();
            self.yielded.set(Instant::now());
        }
        over
    }
}

/// Executes a script, in `room` when there is one. The room is given back to be thrown away, which may take a while.
pub(crate) fn run(room: Option<Room>, job: &Job) -> (Report, Option<Room>) {
    let room = room.or_else(Room::new);
    let result = room.as_ref().map_or(Err(Failure::Memory), |room| run_in(room, job));
    let (lines, dropped) = room.as_ref().map(|room| room.world.written()).unwrap_or_default();
    (Report { result, lines, dropped }, room)
}

fn run_in(room: &Room, job: &Job) -> Result<String, Failure> {
    room.world.set(job.now, job.seed);
    let deadline = Deadline::set(&room.runtime, job.time);
    room.runtime.set_memory_limit(usize::try_from(job.memory).unwrap_or(usize::MAX));
    let result = room.context.with(|ctx| {
        let ending = Ending::new(&ctx, &deadline)?;
        let function = compile(&ctx, &job.source, &ending)?;
        let input = ctx.json_parse(job.input.as_str());
        let input = input.catch(&ctx).map_err(|error| match ending.caught(error) {
            Failure::Thrown(_) => Failure::InputInvalid,
            other => other,
        })?;
        let promise = function.call::<_, Promise<'_>>((input,)).map_err(|error| ending.failure(&ctx, error))?;
        let value = settle(&ctx, &promise, &ending)?;
        json(&ctx, value, job.output, &ending)
    });
    // A handler that is told of the end of its own runtime would only cost time.
    room.runtime.set_interrupt_handler(None);
    match result {
        // A promise that there was no memory to settle waits for ever.
        Err(Failure::Forever) if is_full(&room.runtime, job.memory) => Err(Failure::Memory),
        result => result,
    }
}

/// Whether next to nothing is left of a runtime's memory.
fn is_full(runtime: &Runtime, limit: u64) -> bool {
    u64::try_from(runtime.memory_usage().malloc_size).is_ok_and(|used| used > limit / 10 * 9)
}

/// Reads a source without executing it; what is wrong with it.
pub(crate) fn check(source: &str) -> Option<SyntaxFault> {
    let no_room = || SyntaxFault { message: "the code takes too much memory to read".to_owned(), line: 1, column: 1 };
    let Some(room) = Room::new() else { return Some(no_room()) };
    let deadline = Deadline::set(&room.runtime, CHECK_TIME);
    room.runtime.set_memory_limit(CHECK_MEMORY);
    room.context.with(|ctx| {
        let Ok(ending) = Ending::new(&ctx, &deadline) else { return Some(no_room()) };
        // A source that ends the function it stands in would be read as something else; within a block it is not.
        let inner = format!("{{{source}\n}}");
        let read = compile(&ctx, source, &ending).and_then(|_| compile(&ctx, &inner, &ending));
        match read.err()? {
            Failure::Syntax(fault) => Some(fault),
            _ => Some(no_room()),
        }
    })
}

/// The script as a function of its input.
fn compile<'js>(ctx: &Ctx<'js>, source: &str, ending: &Ending<'js, '_>) -> Result<Function<'js>, Failure> {
    let whole = [place::BEFORE, source, place::AFTER].concat();
    let mut options = EvalOptions::default();
    options.filename = Some(place::FILE.to_owned());
    ctx.eval_with_options::<Function<'js>, _>(whole, options).catch(ctx).map_err(|error| match error {
        CaughtError::Exception(thrown) => {
            let stack = thrown.stack().unwrap_or_default();
            let message = short(&thrown.message().unwrap_or_default(), LONGEST_MESSAGE);
            match ending.cause() {
                Some(failure) => failure,
                None if message == "out of memory" => Failure::Memory,
                None => Failure::Syntax(place::fault(message, &stack, source)),
            }
        }
        // A NUL ends what C reads, and a source that is no function ends the one it stands in.
        CaughtError::Error(_) | CaughtError::Value(_) => ending.cause().unwrap_or_else(|| {
            let message = "the code is not the body of a function".to_owned();
            Failure::Syntax(SyntaxFault { message, line: 1, column: 1 })
        }),
    })
}

/// Does what the promise waits for, until there is nothing left to do.
fn settle<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>, ending: &Ending<'js, '_>) -> Result<Value<'js>, Failure> {
    // A job that throws has rejected its promise; here only that there was one matters. Each is short, so the engine
    // itself may never ask for the time.
    while promise.state() == PromiseState::Pending {
        if ending.deadline.is_over() {
            return Err(Failure::Time);
        }
        if !ctx.execute_pending_job() {
            break;
        }
    }
    match promise.result::<Value<'js>>() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(ending.failure(ctx, error)),
        None => Err(ending.cause().unwrap_or(Failure::Forever)),
    }
}

/// A result as JSON. `undefined` is null: a script without `return` gives nothing.
fn json<'js>(ctx: &Ctx<'js>, value: Value<'js>, most: u64, ending: &Ending<'js, '_>) -> Result<String, Failure> {
    let text = ctx.json_stringify(value).map_err(|error| match ending.failure(ctx, error) {
        Failure::Thrown(thrown) => Failure::OutputInvalid { message: thrown.message },
        other => other,
    })?;
    let Some(text) = text else { return Ok("null".to_owned()) };
    let text = text.to_string().map_err(|error| ending.failure(ctx, error))?;
    let bytes = text.len() as u64;
    if bytes > most { Err(Failure::OutputTooLarge { bytes }) } else { Ok(text) }
}

/// Tells why a script ended without a result.
struct Ending<'js, 'a> {
    deadline: &'a Deadline,
    /// Let go before an error is read.
    set_aside: RefCell<Option<ArrayBuffer<'js>>>,
}

impl<'js, 'a> Ending<'js, 'a> {
    fn new(ctx: &Ctx<'js>, deadline: &'a Deadline) -> Result<Self, Failure> {
        let buffer = ctx.globals().get::<_, Constructor<'js>>("ArrayBuffer");
        let set_aside = buffer.and_then(|buffer| buffer.construct((SET_ASIDE,))).map_err(|_| Failure::Memory)?;
        Ok(Self { deadline, set_aside: RefCell::new(Some(set_aside)) })
    }

    /// A limit that was passed, whatever the script says.
    fn cause(&self) -> Option<Failure> {
        self.deadline.passed.get().then_some(Failure::Time)
    }

    fn failure(&self, ctx: &Ctx<'_>, error: rquickjs::Error) -> Failure {
        self.caught(CaughtError::from_error(ctx, error))
    }

    fn caught(&self, error: CaughtError<'_>) -> Failure {
        if let Some(failure) = self.cause() {
            return failure;
        }
        // To read an error takes memory, and there may be none left.
        self.set_aside.borrow_mut().take();
        let failure = Self::read(error);
        // To read it may have run more of the script.
        self.cause().unwrap_or(failure)
    }

    fn read(error: CaughtError<'_>) -> Failure {
        match error {
            CaughtError::Exception(thrown) => {
                let thrown = thrown_error(&thrown);
                let is_memory = thrown.name == "InternalError" && thrown.message == "out of memory";
                if is_memory { Failure::Memory } else { Failure::Thrown(thrown) }
            }
            CaughtError::Value(value) if value.is_null() => Failure::Memory,
            CaughtError::Value(value) => Failure::Thrown(thrown_value(&value)),
            CaughtError::Error(rquickjs::Error::Allocation) => Failure::Memory,
            CaughtError::Error(error) => {
                Failure::Thrown(Thrown { message: short(&error.to_string(), LONGEST_MESSAGE), ..Thrown::default() })
            }
        }
    }
}

/// Reads an error. Its properties may be anything, and reading them may run more of the script; what is no text is left
/// out.
fn thrown_error(error: &Object<'_>) -> Thrown {
    let text = |name: &str| error.get::<_, rquickjs::String<'_>>(name).ok()?.to_string().ok();
    let frames = text("stack").map(|stack| place::frames(&stack)).unwrap_or_default();
    Thrown {
        name: short(&text("name").unwrap_or_default(), LONGEST_NAME),
        message: short(&text("message").unwrap_or_default(), LONGEST_MESSAGE),
        code: text("code").filter(|code| code.len() <= LONGEST_CODE),
        frames,
    }
}

/// Something thrown that is no error: its `message` and `code` where it has them, else itself as text.
fn thrown_value(value: &Value<'_>) -> Thrown {
    if let Some(object) = value.as_object() {
        let thrown = thrown_error(object);
        if !thrown.message.is_empty() {
            return thrown;
        }
    }
    let shown = match value.as_string() {
        Some(text) => text.to_string().ok(),
        None => value.ctx().json_stringify(value.clone()).ok().flatten().and_then(|text| text.to_string().ok()),
    };
    let shown = shown.unwrap_or_else(|| value.type_name().to_owned());
    Thrown { message: short(&shown, LONGEST_MESSAGE), ..Thrown::default() }
}

fn short(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
