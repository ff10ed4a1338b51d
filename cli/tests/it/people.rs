//! Keys, roles, members and the audit, from the command line.

use serde_json::json;

use crate::home::{Home, On};
use crate::terminal::Terminal;

#[tokio::test]
async fn keys_are_listed_rotated_and_revoked_and_roles_are_made() {
    for on in [On::Sqlite, On::Postgres] {
        let home = Home::new(on).await;
        let server = home.serve("server");
        let terminal = Terminal { home: &home, server: &server, key: home.key() };
        let listed = terminal.done(&["key", "list"]);
        let own = listed["keys"][0].clone();
        assert_eq!((&own["role"], &own["revokedAt"]), (&json!("admin"), &json!(null)), "{listed}");
        let rotated = terminal.done(&["key", "rotate", own["id"].as_str().unwrap(), "--overlap", "1h"]);
        let next = Terminal { key: rotated["key"].as_str().unwrap().to_owned(), ..terminal };
        let revoked = next.done(&["key", "revoke", own["id"].as_str().unwrap()]);
        assert!(revoked["revokedAt"].is_string(), "{revoked}");
        let denied = Terminal {
            key: home.json(&["key", "create", "--role", "approver"])["key"].as_str().unwrap().to_owned(),
            ..next
        };
        let (code, ..) = denied.run(&["member", "list"]);
        assert_eq!(code, Some(4));

        let next = Terminal { key: rotated["key"].as_str().unwrap().to_owned(), ..denied };
        let role = next.done(&["role", "create", "night shift", "--permission", "run:control"]);
        assert_eq!(role["permissions"], json!(["read", "run:control"]));
        let roles = next.done(&["role", "list"]);
        assert_eq!(roles["roles"].as_array().map(Vec::len), Some(7));
        let invited = next.done(&["member", "invite", "--role", role["key"].as_str().unwrap(), "--email", "ada@test"]);
        assert_eq!(invited["token"].as_str().map(str::len), Some(64));
        let (code, ..) = next.run(&["role", "delete", role["key"].as_str().unwrap()]);
        assert_eq!(code, Some(6), "an invitation has it");
        assert_eq!(next.done(&["member", "list"])["members"], json!([]));
        let (code, ..) = next.run(&["member", "remove", "mbr_00000000000000000000000000000000"]);
        assert_eq!(code, Some(5));
        let denials = next.done(&["audit", "list", "--result", "denied"]);
        assert_eq!(denials["audit"][0]["entityId"], "members", "{denials}");
    }
}
