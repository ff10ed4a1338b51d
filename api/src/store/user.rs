//! People. They belong to the installation: these queries start from a person, not from a workspace.

use engine::id::UserId;
use entity::app_user;
use runtime::Database;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _};

use super::{at, timestamp};
use crate::service::user::{Subject, User};

pub(super) fn read(model: app_user::Model) -> User {
    let subject = model.issuer.zip(model.subject).map(|(issuer, subject)| Subject { issuer, subject });
    User {
        id: UserId(model.id),
        subject,
        email: model.email,
        name: model.name,
        created_at: timestamp(model.created_at),
        last_seen_at: model.last_seen_at.map(timestamp),
        disabled_at: model.disabled_at.map(timestamp),
    }
}

fn row(user: &User) -> app_user::ActiveModel {
    app_user::ActiveModel {
        id: Set(user.id.0),
        issuer: Set(user.subject.as_ref().map(|subject| subject.issuer.clone())),
        subject: Set(user.subject.as_ref().map(|subject| subject.subject.clone())),
        email: Set(user.email.clone()),
        name: Set(user.name.clone()),
        created_at: Set(at(user.created_at)),
        last_seen_at: Set(user.last_seen_at.map(at)),
        disabled_at: Set(user.disabled_at.map(at)),
    }
}

/// The person of this id.
pub(crate) async fn find(database: &Database, id: UserId) -> Result<Option<User>, DbErr> {
    Ok(app_user::Entity::find_by_id(id.0).one(database.read()).await?.map(read))
}

/// Keeps a person, or the name, address and time of one whom issuer and subject name already.
pub(crate) async fn seen(database: &Database, user: &User) -> Result<User, DbErr> {
    use app_user::Column as C;
    let again =
        OnConflict::columns([C::Issuer, C::Subject]).update_columns([C::Name, C::Email, C::LastSeenAt]).to_owned();
    let write = database.begin_write().await?;
    app_user::Entity::insert(row(user)).on_conflict(again).exec_without_returning(&write).await?;
    let subject = user.subject.as_ref();
    let found = app_user::Entity::find()
        .filter(C::Issuer.eq(subject.map(|subject| subject.issuer.clone())))
        .filter(C::Subject.eq(subject.map(|subject| subject.subject.clone())))
        .one(&write)
        .await?;
    write.commit().await?;
    found.map(read).ok_or_else(|| DbErr::RecordNotFound("the person that was just kept".to_owned()))
}

/// Keeps a person of this very id, unless they are there.
pub(super) async fn ensure(write: &impl ConnectionTrait, user: &User) -> Result<(), DbErr> {
    let once = OnConflict::column(app_user::Column::Id).do_nothing().to_owned();
    app_user::Entity::insert(row(user)).on_conflict(once).exec_without_returning(write).await.map(drop)
}
