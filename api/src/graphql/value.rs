//! Run data: never a bare JSON field, because it may be of any size.

use std::sync::Arc;

use async_graphql::{Context, Enum, Json, Object};
use engine::value::{ValueKind, ValueRef};
use tokio::sync::OnceCell;

use super::Result;
use super::node_run::Siblings;
use super::page::{cost, request};
use super::request::Asked as _;
use crate::service::trigger::{self, Event};
use crate::service::value::download::Place;
use crate::service::value::{Part, Parts};
use crate::service::veil::{Seen, Veil};
use crate::service::{ServiceError, value};

/// Bytes of a preview when the client does not say.
const PREVIEW_DEFAULT: i32 = 4096;

/// The JSON kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "ValueKind", remote = "ValueKind")]
pub enum ValueKindName {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// Any number.
    Number,
    /// Text.
    String,
    /// An array.
    List,
    /// An object.
    Object,
}

/// A piece of run data. Small ones can be read as JSON, all of them by a preview and as a download.
pub struct ValueObject {
    value: ValueRef,
    home: Home,
}

/// What a value is part of.
enum Home {
    Run {
        place: Place,
        siblings: Arc<Siblings>,
    },
    /// Something that came to a trigger and started no run.
    Event {
        event: Box<Event>,
        veil: OnceCell<Option<Veil>>,
    },
}

impl ValueObject {
    pub(super) fn new(value: ValueRef, place: Place, siblings: &Arc<Siblings>) -> Self {
        Self { value, home: Home::Run { place, siblings: Arc::clone(siblings) } }
    }

    /// What something carried that started no run.
    pub(super) fn of_event(value: ValueRef, event: Event) -> Self {
        Self { value, home: Home::Event { event: Box::new(event), veil: OnceCell::new() } }
    }

    async fn seen(&self, ctx: &Context<'_>) -> Result<Seen<'_>> {
        let value = &self.value;
        match &self.home {
            Home::Run { place, siblings } => {
                let veil = siblings.veil(ctx, place.run()).await?;
                let is_input = veil.is_some() && place.is_input(siblings.run(ctx, place.run()).await?);
                Ok(Seen { value, veil, is_input })
            }
            Home::Event { event, veil } => {
                let (app, viewer) = (ctx.app()?, ctx.viewer()?);
                let veil = veil.get_or_try_init(async || trigger::veil(app, viewer, event).await).await?;
                Ok(Seen { value, veil: veil.as_ref(), is_input: true })
            }
        }
    }
}

/// A piece of run data. Small ones can be read as JSON, all of them by a preview and as a download.
#[Object(name = "Value")]
impl ValueObject {
    /// The JSON kind.
    async fn kind(&self) -> ValueKindName {
        self.value.kind.into()
    }

    /// Length of the canonical JSON in bytes, before anything of it is hidden.
    async fn byte_size(&self) -> u64 {
        self.value.len
    }

    /// SHA-256 over the workspace's salt and the canonical JSON, in hex: the same value has the same digest within a
    /// workspace.
    async fn sha256(&self) -> String {
        self.value.digest.to_string()
    }

    /// The beginning of the canonical JSON, cut between characters.
    async fn preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Most bytes, 1 to 65536.", default_with = "PREVIEW_DEFAULT")] max_bytes: i32,
    ) -> Result<String> {
        let limit = limit(max_bytes)?;
        Ok(value::preview(ctx.app()?, ctx.viewer()?, &self.seen(ctx).await?, limit).await?)
    }

    /// Whether a preview of that size leaves something out.
    async fn truncated(
        &self,
        #[graphql(desc = "The size of the preview.", default_with = "PREVIEW_DEFAULT")] max_bytes: i32,
    ) -> Result<bool> {
        Ok(self.value.len > limit(max_bytes)? as u64)
    }

    /// The value, up to 64 KiB; of a larger one null and the error VALUE_TOO_LARGE.
    async fn json(&self, ctx: &Context<'_>) -> Result<Option<Json<serde_json::Value>>> {
        Ok(Some(Json(value::json(ctx.app()?, ctx.viewer()?, &self.seen(ctx).await?).await?)))
    }

    /// Where all of it is downloaded, whatever its size: a path below the server's address, for whoever may see the run, with
    /// what is hidden left out. Null for what came to a trigger and started no run.
    async fn download(&self) -> Option<String> {
        match &self.home {
            Home::Run { place, .. } => Some(place.path()),
            Home::Event { .. } => None,
        }
    }

    /// Whether something in it is hidden: what the workflow's `input_schema` marks with `x-sensitive`, and the same texts
    /// and numbers wherever the run takes them. `[redacted]` stands in its place.
    async fn redacted(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(value::is_redacted(ctx.app()?, ctx.viewer()?, &self.seen(ctx).await?).await?)
    }

    /// Parts of a list or an object inside the value, whatever its size: items in their order, fields by name.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn page(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "JSON pointer to the list or object, such as `/orders`; the value itself when empty.",
            default
        )]
        path: String,
        #[graphql(desc = "How many, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<ValuePage> {
        let page = request(first, after)?;
        Ok(ValuePage(value::parts(ctx.app()?, ctx.viewer()?, &self.seen(ctx).await?, &path, &page).await?))
    }
}

/// Some parts of a list or an object.
pub struct ValuePage(Parts);

/// Some parts of a list or an object.
#[Object]
impl ValuePage {
    /// The JSON kind of what they are parts of.
    async fn kind(&self) -> ValueKindName {
        self.0.kind.into()
    }

    /// How many parts there are in all; 0 for what is no list and no object.
    async fn total(&self) -> u64 {
        self.0.total as u64
    }

    /// The parts of this page.
    async fn parts(&self) -> Vec<ValuePart> {
        self.0.parts.iter().cloned().zip(self.0.from..).map(|(part, index)| ValuePart { part, index }).collect()
    }

    /// Whether there are more after the last one.
    async fn has_next_page(&self) -> bool {
        self.0.from + self.0.parts.len() < self.0.total
    }
}

/// One item of a list or one field of an object.
pub struct ValuePart {
    part: Part,
    index: usize,
}

/// One item of a list or one field of an object.
#[Object]
impl ValuePart {
    /// The item's index, from 0, or the field's name.
    async fn name(&self) -> &str {
        &self.part.name
    }

    /// The cursor to go on after.
    async fn cursor(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(value::part_cursor(ctx.viewer()?, self.index))
    }

    /// The JSON kind.
    async fn kind(&self) -> ValueKindName {
        ValueKind::of(&self.part.value).into()
    }

    /// Length of its JSON in bytes.
    async fn byte_size(&self) -> u64 {
        value::preview_of(&self.part, 1).1 as u64
    }

    /// The beginning of its JSON, cut between characters.
    async fn preview(
        &self,
        #[graphql(desc = "Most bytes, 1 to 65536.", default_with = "PREVIEW_DEFAULT")] max_bytes: i32,
    ) -> Result<String> {
        Ok(value::preview_of(&self.part, limit(max_bytes)?).0)
    }
}

fn limit(max_bytes: i32) -> Result<usize, ServiceError> {
    usize::try_from(max_bytes)
        .ok()
        .filter(|bytes| (1..=value::PREVIEW_LIMIT).contains(bytes))
        .ok_or_else(|| ServiceError::invalid("maxBytes", "`maxBytes` must be 1 to 65536"))
}
