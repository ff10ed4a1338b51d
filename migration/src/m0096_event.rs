//! Starts that wait for their turn, what they carry, and what triggers are told from inside: a published event or the
//! end of a run leaves a row in the commit that it happens in, whoever writes it, when somebody listens.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

use crate::column::bytes_null;

/// Starts that wait for their turn, what they carry, and what triggers are told from inside.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const INTO: &str =
    "INSERT INTO event_outbox (workspace_id, project_id, workflow_id, environment, run_id, node_key, scope)";

/// Runs that end while a trigger of the workspace listens for such.
const ENDED: &str = "SELECT NEW.workspace_id, NEW.project_id, NEW.workflow_id, NEW.environment, NEW.id, '', ''
    WHERE EXISTS (SELECT 1 FROM trigger_binding b WHERE b.workspace_id = NEW.workspace_id
        AND b.kind IN ('ERROR', 'WORKFLOW') AND b.version_id IS NOT NULL)";
const ENDS: &str = "NEW.mode = 'LIVE' AND NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL";

/// Node runs that publish while a trigger of the workspace listens for events. The whole of a `for_each` is no event.
const PUBLISHED: &str =
    "SELECT run.workspace_id, run.project_id, run.workflow_id, run.environment, run.id, NEW.node_key,
    NEW.scope FROM run WHERE run.id = NEW.run_id AND run.mode = 'LIVE'
    AND EXISTS (SELECT 1 FROM trigger_binding b WHERE b.workspace_id = run.workspace_id
        AND b.kind = 'EVENT' AND b.version_id IS NOT NULL)";
const PUBLISHES: &str = "NEW.node_type LIKE 'event.publish@%' AND NEW.status = 'SUCCEEDED' AND NEW.reused_from IS NULL
    AND NEW.items IS NULL";

fn postgres() -> Vec<String> {
    let function = |name: &str, select: &str| {
        format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {INTO} {select}; RETURN NULL; END $$"
        )
    };
    vec![
        function("run_end_told", ENDED),
        function("node_run_told", PUBLISHED),
        format!(
            "CREATE TRIGGER run_end_told AFTER UPDATE OF status ON run FOR EACH ROW WHEN ({ENDS})
                EXECUTE FUNCTION run_end_told()"
        ),
        format!(
            "CREATE TRIGGER node_run_made_told AFTER INSERT ON node_run FOR EACH ROW WHEN ({PUBLISHES})
                EXECUTE FUNCTION node_run_told()"
        ),
        format!(
            "CREATE TRIGGER node_run_changed_told AFTER UPDATE OF status ON node_run FOR EACH ROW
                WHEN ({PUBLISHES} AND OLD.status <> 'SUCCEEDED') EXECUTE FUNCTION node_run_told()"
        ),
    ]
}

fn sqlite() -> Vec<String> {
    let trigger = |name: &str, event: &str, when: &str, select: &str| {
        format!("CREATE TRIGGER {name} AFTER {event} WHEN {when} BEGIN {INTO} {select}; END")
    };
    let changes = format!("{PUBLISHES} AND OLD.status <> 'SUCCEEDED'");
    vec![
        trigger("run_end_told", "UPDATE OF status ON run", ENDS, ENDED),
        trigger("node_run_made_told", "INSERT ON node_run", PUBLISHES, PUBLISHED),
        trigger("node_run_changed_told", "UPDATE OF status ON node_run", &changes, PUBLISHED),
    ]
}

fn undone(backend: DatabaseBackend) -> Vec<&'static str> {
    match backend {
        DatabaseBackend::Postgres => vec![
            "DROP TRIGGER node_run_changed_told ON node_run",
            "DROP TRIGGER node_run_made_told ON node_run",
            "DROP TRIGGER run_end_told ON run",
            "DROP FUNCTION node_run_told()",
            "DROP FUNCTION run_end_told()",
        ],
        _ => vec!["DROP TRIGGER node_run_changed_told", "DROP TRIGGER node_run_made_told", "DROP TRIGGER run_end_told"],
    }
}

fn outbox() -> TableCreateStatement {
    Table::create()
        .table("event_outbox")
        .col(big_integer("id").auto_increment().primary_key())
        .col(uuid("workspace_id"))
        .col(uuid("project_id"))
        .col(uuid("workflow_id"))
        .col(string("environment"))
        .col(uuid("run_id"))
        .col(string("node_key"))
        .col(string("scope"))
        .to_owned()
}

fn columns() -> Vec<ColumnDef> {
    vec![
        uuid_null("version_id"),
        bytes_null("payload"),
        uuid_null("source_run_id"),
        string_null("source_key"),
        integer("depth").default(0).take(),
        uuid_null("redelivery_of"),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            manager.alter_table(Table::alter().table("trigger_event").add_column(column).to_owned()).await?;
        }
        let once = Index::create()
            .name("trigger_event_source")
            .table("trigger_event")
            .col("binding_id")
            .col("source_key")
            .unique()
            .and_where(Expr::col("source_key").is_not_null())
            .to_owned();
        manager.create_index(once).await?;
        let waiting = Index::create()
            .name("trigger_event_waiting")
            .table("trigger_event")
            .col("id")
            .and_where(Expr::col("run_id").is_null())
            .and_where(Expr::col("reason").is_null())
            .to_owned();
        manager.create_index(waiting).await?;
        let kinds = Index::create()
            .name("trigger_binding_kind")
            .table("trigger_binding")
            .col("workspace_id")
            .col("kind")
            .to_owned();
        manager.create_index(kinds).await?;
        manager.create_table(outbox()).await?;
        let steps = match manager.get_database_backend() {
            DatabaseBackend::Postgres => postgres(),
            _ => sqlite(),
        };
        for step in steps {
            manager.get_connection().execute_unprepared(&step).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for step in undone(manager.get_database_backend()) {
            manager.get_connection().execute_unprepared(step).await?;
        }
        manager.drop_table(Table::drop().table("event_outbox").to_owned()).await?;
        manager.drop_index(Index::drop().name("trigger_binding_kind").table("trigger_binding").to_owned()).await?;
        for index in ["trigger_event_waiting", "trigger_event_source"] {
            manager.drop_index(Index::drop().name(index).table("trigger_event").to_owned()).await?;
        }
        for column in ["redelivery_of", "depth", "source_key", "source_run_id", "payload", "version_id"] {
            manager.alter_table(Table::alter().table("trigger_event").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
