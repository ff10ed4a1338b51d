//! Sessions of people. A session says by itself who they are and where, so these queries start from no workspace.

use engine::id::{SessionId, UserId, WorkspaceId, WorkspaceKeyId};
use engine::time::Timestamp;
use engine::value::Digest;
use entity::{logout_token, user_session as row};
use runtime::Database;
use runtime::secret::Sealed;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, Condition, DbErr, EntityTrait as _, QueryFilter as _};
use serde_json::json;
use uuid::Uuid;

use super::change::Change;
use super::{at, timestamp};
use crate::service::audit::{Action, Context, Done};
use crate::service::user_session::{Ending, Session};

/// A row as use cases know it.
fn read(model: row::Model) -> Result<Session, DbErr> {
    Ok(Session {
        id: SessionId(model.id),
        hash: super::digest(&model.hash)?,
        user: UserId(model.user_id),
        workspace: WorkspaceId(model.workspace_id),
        issuer: model.issuer,
        subject: model.subject,
        provider_session: model.provider_session,
        version: model.version,
        sealed: Sealed {
            workspace_key: WorkspaceKeyId(model.workspace_key_id),
            wrapped_key: model.wrapped_key,
            ciphertext: model.ciphertext,
        },
        seen_at: timestamp(model.seen_at),
        expires_at: timestamp(model.expires_at),
        refresh_at: timestamp(model.refresh_at),
        chosen: model.chosen_workspace_id.map(WorkspaceId),
        is_guest: model.is_guest,
    })
}

/// Opens a session, and lets go of those that are over.
pub(crate) async fn insert(database: &Database, context: &Context, session: &Session) -> Result<(), DbErr> {
    let new = row::ActiveModel {
        id: Set(session.id.0),
        hash: Set(session.hash.0.to_vec()),
        user_id: Set(session.user.0),
        workspace_id: Set(session.workspace.0),
        issuer: Set(session.issuer.clone()),
        subject: Set(session.subject.clone()),
        provider_session: Set(session.provider_session.clone()),
        version: Set(session.version),
        workspace_key_id: Set(session.sealed.workspace_key.0),
        wrapped_key: Set(session.sealed.wrapped_key.clone()),
        ciphertext: Set(session.sealed.ciphertext.clone()),
        created_at: Set(at(context.at)),
        seen_at: Set(at(session.seen_at)),
        expires_at: Set(at(session.expires_at)),
        refresh_at: Set(at(session.refresh_at)),
        holder: Set(None),
        held_until: Set(None),
        chosen_workspace_id: Set(None),
        is_guest: Set(session.is_guest),
    };
    let mut change = Change::begin(database, context).await?;
    row::Entity::delete_many().filter(row::Column::ExpiresAt.lte(at(context.at))).exec(change.connection()).await?;
    row::Entity::insert(new).exec_without_returning(change.connection()).await?;
    change.record(Done::new(Action::UserSignedIn, session.user).after(json!({"sessionId": session.id.to_string()})));
    change.commit().await
}

/// The session of a cookie.
pub(crate) async fn find(database: &Database, hash: Digest) -> Result<Option<Session>, DbErr> {
    let found = row::Entity::find().filter(row::Column::Hash.eq(hash.0.to_vec())).one(database.read()).await?;
    found.map(read).transpose()
}

/// The person asked for something.
pub(crate) async fn seen(database: &Database, id: SessionId, now: Timestamp) -> Result<(), DbErr> {
    row::Entity::update_many()
        .col_expr(row::Column::SeenAt, Expr::value(at(now)))
        .filter(row::Column::Id.eq(id.0))
        .filter(row::Column::SeenAt.lt(at(now)))
        .exec(database.write())
        .await
        .map(drop)
}

/// Keeps which workspace the person chose; what is open in the session asks again.
pub(crate) async fn choose(
    database: &Database,
    context: &Context,
    id: SessionId,
    chosen: WorkspaceId,
) -> Result<(), DbErr> {
    let mut change = Change::begin(database, context).await?;
    row::Entity::update_many()
        .col_expr(row::Column::ChosenWorkspaceId, Expr::value(chosen.0))
        .filter(row::Column::Id.eq(id.0))
        .exec(change.connection())
        .await?;
    change.touch(id);
    change.commit().await
}

/// Takes the right to ask the provider, for tokens as the session had them when it was read; false when somebody else
/// asks, or has asked meanwhile.
pub(crate) async fn hold(
    database: &Database,
    session: &Session,
    holder: Uuid,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, DbErr> {
    let free = Condition::any().add(row::Column::HeldUntil.is_null()).add(row::Column::HeldUntil.lte(at(now)));
    let held = row::Entity::update_many()
        .col_expr(row::Column::Holder, Expr::value(holder))
        .col_expr(row::Column::HeldUntil, Expr::value(at(until)))
        .filter(row::Column::Id.eq(session.id.0))
        .filter(row::Column::Version.eq(session.version))
        .filter(row::Column::RefreshAt.lte(at(now)))
        .filter(free)
        .exec(database.write())
        .await?;
    Ok(held.rows_affected == 1)
}

/// Ends asking: with the tokens that came, or as it was; the provider is asked again at `refresh_at`.
pub(crate) async fn release(
    database: &Database,
    id: SessionId,
    holder: Uuid,
    tokens: Option<(i32, &Sealed)>,
    refresh_at: Timestamp,
) -> Result<(), DbErr> {
    let mut update = row::Entity::update_many()
        .col_expr(row::Column::Holder, Expr::value(Option::<Uuid>::None))
        .col_expr(row::Column::HeldUntil, Expr::value(Option::<sea_orm::prelude::DateTimeUtc>::None))
        .col_expr(row::Column::RefreshAt, Expr::value(at(refresh_at)));
    if let Some((version, sealed)) = tokens {
        update = update
            .col_expr(row::Column::Version, Expr::value(version))
            .col_expr(row::Column::WorkspaceKeyId, Expr::value(sealed.workspace_key.0))
            .col_expr(row::Column::WrappedKey, Expr::value(sealed.wrapped_key.clone()))
            .col_expr(row::Column::Ciphertext, Expr::value(sealed.ciphertext.clone()));
    }
    let own = row::Column::Id.eq(id.0).and(row::Column::Holder.eq(holder));
    update.filter(own).exec(database.write()).await.map(drop)
}

/// Ends a session, once; false when it was over already.
pub(crate) async fn end(database: &Database, context: &Context, session: &Session, why: Ending) -> Result<bool, DbErr> {
    let mut change = Change::begin(database, context).await?;
    let ended = row::Entity::delete_by_id(session.id.0).exec(change.connection()).await?.rows_affected == 1;
    if ended {
        let before = json!({"sessionId": session.id.to_string(), "why": why.as_str()});
        change.record(Done::new(Action::UserSignedOut, session.user).before(before));
        change.touch(session.id);
    }
    change.commit().await?;
    Ok(ended)
}

/// The sessions that the provider means by its own session's name, or by a person.
pub(crate) async fn meant(
    database: &Database,
    issuer: &str,
    subject: Option<&str>,
    provider_session: Option<&str>,
) -> Result<Vec<Session>, DbErr> {
    let mut meant = Condition::all().add(row::Column::Issuer.eq(issuer));
    if let Some(session) = provider_session {
        meant = meant.add(row::Column::ProviderSession.eq(session));
    }
    if let Some(subject) = subject {
        meant = meant.add(row::Column::Subject.eq(subject));
    }
    let rows = row::Entity::find().filter(meant).all(database.read()).await?;
    rows.into_iter().map(read).collect()
}

/// Remembers a logout token; false when it came before.
pub(crate) async fn logout_once(
    database: &Database,
    id: Digest,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, DbErr> {
    use logout_token::Column as C;
    logout_token::Entity::delete_many().filter(C::ExpiresAt.lte(at(now))).exec(database.write()).await?;
    let row = logout_token::ActiveModel { id_digest: Set(id.0.to_vec()), expires_at: Set(at(until)) };
    let once = OnConflict::column(C::IdDigest).do_nothing().to_owned();
    let new = logout_token::Entity::insert(row).on_conflict(once).exec_without_returning(database.write()).await?;
    Ok(new == 1)
}
