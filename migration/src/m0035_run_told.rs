//! Every change of a run's status leaves a row in the outbox, whoever writes it. Triggers, because only the database
//! knows the status before: statements that write runs name what a run is, not what it was.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// Every change of a run's status leaves a row in the outbox, whoever writes it.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const KIND: &str = "CASE
        WHEN NEW.status = 'RUNNING' THEN CASE WHEN OLD.status = 'QUEUED' THEN 'run.started' ELSE 'run.resumed' END
        WHEN NEW.status = 'WAITING' THEN 'run.waiting'
        WHEN NEW.status = 'PAUSED' THEN 'run.paused'
        WHEN NEW.status = 'QUEUED' THEN 'run.queued'
        ELSE 'run.finished'
    END";

/// Status, mode and environment are words without quotes in them.
const DATA: &str =
    r#"'{"environment":"' || NEW.environment || '","mode":"' || NEW.mode || '","status":"' || NEW.status || '"}'"#;

const CHANGED_AT: &str =
    "CASE WHEN NEW.status = 'RUNNING' AND OLD.status = 'QUEUED' THEN NEW.started_at ELSE NEW.finished_at END";

const INTO: &str = "INSERT INTO outbox (workspace_id, kind, entity, workflow_id, actor, data, at)";

fn postgres() -> [String; 4] {
    let id = "'run_' || replace(NEW.id::text, '-', '')";
    let function = |name: &str, values: &str| {
        format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                {INTO} VALUES ({values}); RETURN NULL; END $$"
        )
    };
    [
        function(
            "run_made_told",
            &format!("NEW.workspace_id, 'run.created', {id}, NEW.workflow_id, NEW.created_by, {DATA}, NEW.created_at"),
        ),
        function(
            "run_changed_told",
            &format!("NEW.workspace_id, {KIND}, {id}, NEW.workflow_id, NULL, {DATA}, {CHANGED_AT}"),
        ),
        "CREATE TRIGGER run_made_told AFTER INSERT ON run FOR EACH ROW EXECUTE FUNCTION run_made_told()".to_owned(),
        "CREATE TRIGGER run_changed_told AFTER UPDATE OF status ON run FOR EACH ROW
            WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION run_changed_told()"
            .to_owned(),
    ]
}

fn sqlite() -> [String; 2] {
    let id = "'run_' || lower(hex(NEW.id))";
    [
        format!(
            "CREATE TRIGGER run_made_told AFTER INSERT ON run BEGIN
                {INTO} VALUES (NEW.workspace_id, 'run.created', {id}, NEW.workflow_id, NEW.created_by, {DATA},
                    NEW.created_at);
            END"
        ),
        format!(
            "CREATE TRIGGER run_changed_told AFTER UPDATE OF status ON run WHEN OLD.status <> NEW.status BEGIN
                {INTO} VALUES (NEW.workspace_id, {KIND}, {id}, NEW.workflow_id, NULL, {DATA}, {CHANGED_AT});
            END"
        ),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let steps: Vec<String> = match manager.get_database_backend() {
            DatabaseBackend::Postgres => postgres().into(),
            _ => sqlite().into(),
        };
        for step in steps {
            manager.get_connection().execute_unprepared(&step).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let steps: &[&str] = match manager.get_database_backend() {
            DatabaseBackend::Postgres => &[
                "DROP TRIGGER run_changed_told ON run",
                "DROP TRIGGER run_made_told ON run",
                "DROP FUNCTION run_changed_told()",
                "DROP FUNCTION run_made_told()",
            ],
            _ => &["DROP TRIGGER run_changed_told", "DROP TRIGGER run_made_told"],
        };
        for step in steps {
            manager.get_connection().execute_unprepared(step).await?;
        }
        Ok(())
    }
}
