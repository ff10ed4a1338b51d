//! The guide to access: words of ours around the table, so that it cannot say something else than what is checked.

use super::{Permission, Role};

/// The page docs/guides/access.md.
pub fn guide() -> String {
    let mut page = String::from(BEFORE);
    page.push_str("\n| permission | what it allows |");
    for role in Role::ALL {
        page.push_str(&format!(" {} |", role.as_str()));
    }
    page.push_str("\n|---|---|");
    page.push_str(&"---|".repeat(Role::ALL.len()));
    page.push('\n');
    for permission in Permission::ALL {
        page.push_str(&format!("| `{}` | {} |", permission.as_str(), permission.about()));
        for role in Role::ALL {
            page.push_str(if role.may(*permission) { " yes |" } else { " |" });
        }
        page.push('\n');
    }
    page.push_str(AFTER_ROLES);
    page.push_str(&limits());
    page.push_str(AFTER);
    page
}

/// What a limit to projects takes away.
fn limits() -> String {
    let gone: Vec<String> = Permission::ALL
        .iter()
        .filter(|permission| permission.is_of_workspace())
        .map(|permission| format!("`{}`", permission.as_str()))
        .collect();
    let mut lines = String::from("Whatever their role says, they have no permission over the workspace as a whole:\n");
    let mut line = String::new();
    for (index, word) in gone.iter().enumerate() {
        let end = if index + 1 == gone.len() { "." } else { "," };
        if line.len() + word.len() + 2 > 120 {
            lines.push_str(&format!("{}\n", line.trim_end()));
            line.clear();
        }
        line.push_str(&format!("{word}{end} "));
    }
    lines.push_str(&format!("{}\n", line.trim_end()));
    format!("{LIMITS}{lines}{AFTER_LIMITS}")
}

const LIMITS: &str = "
## Limits to projects

A member, an invitation, a service account and a key can be limited to some projects of the workspace, by the projects'
slugs: `flowforge member invite --project billing`, `flowforge key create --project billing`, or `projects` of the
mutations. A key of a service account sees what both may see. Whoever is limited sees of everything else nothing: what
belongs to another project is answered as if it did not exist. That goes for workflows with their drafts, versions,
deployments, triggers, events, runs and test runs, for connections, variables, environments and notifications, and for
what is followed live. What belongs to a workflow goes along when it moves to another project. Of things that are gone,
such as a deleted workflow, nobody limited is told.

";

const AFTER_LIMITS: &str = "
Who sees all projects gives any limit; nobody limited gives access to anybody. A limit that changes ends what is open under
it. `viewer { projects { slug } }` says one's own; null is no limit.
";

const BEFORE: &str = "\
# Access

Who may do what in a workspace. The table is written from the one that the server asks, `engine/src/policy.rs`.

Everything belongs to a workspace, and every credential speaks in one. What belongs to another workspace is answered as if
it did not exist: `NOT_FOUND`, no row, no event. What somebody sees but may not do is answered with `FORBIDDEN`; the error's
`permission` says what it would take.

## Two walls

Every query names the workspace that it is for. On PostgreSQL there is a second wall behind that, in the database itself: a
request's connections have a role of their own, for which a table holds only the rows of the request's workspace. Rows that
carry no workspace, such as those of a run's journal, belong to whatever the row belongs to that they name; people are seen
by the workspaces that they are members of. Nobody's request, before it is known who asks, sees no row at all.

Past the wall, as the tables' owner, work only: the engine, which drives the runs of all workspaces; finding out who shows a
key, a cookie or a token; sign-in and sign-out; the lookup of a webhook's address; the list of the workspaces that a person
is in, making a workspace and accepting an invitation, which are about another workspace than the one asked from; the
metrics; and what writes down uses of keys and repeated denials. A test keeps the list.

The wall is against a query that is wrong, not against somebody who can run any SQL as the server's user: such a session
could take its own role back. On SQLite there is only the first wall. Setting up: [Operations](operations.md#the-second-wall).

## Roles
";

const AFTER_ROLES: &str = "
`flowforge role create NAME --permission …` makes a role of the workspace's own, with any of these permissions, `read` among
them. Whoever has the role has what it says at that moment: changing it changes what they may do at once.

Nobody gives away more than they have: not by a role, an invitation, a key or a service account. Nobody changes a member who
has more than they. The last owner of all projects cannot be removed, nor made anything less.
";

const AFTER: &str = "
## People

People sign in by the provider of the installation, or, where there is none, by a link that `flowforge admin login-link`
prints on the server; that link signs in the local admin, who is an owner of the workspace.

A person may be in several workspaces. A request says which one by the header `X-FlowForge-Workspace`, with the slug or the
id; without it, it is the one that they chose in this session (`chooseWorkspace`), and else the one that they have been in the
longest. `Query.workspaces` lists them; `createWorkspace` makes another, whose owner is whoever made it.

`flowforge member invite --role editor` prints a token; whoever accepts it (`acceptInvitation`) becomes a member, once, within
seven days. With `--email`, only a person with that address at the provider can. Who is in no workspace yet signs in as a
[guest](sign-in.md#invitations) for that. What the provider says of somebody's role
counts until somebody in the workspace gives them another: from then on the workspace has the last word.

The token goes into a link, `<server>/invitation#TOKEN`, which the page of members makes for you; behind `#` it is in no log.
Whoever opens it signs in first, sees as whom they would become a member, and accepts.

## The pages

Settings, in the bar of every page, leads to what follows. Only what somebody may see is offered, and a page that is opened by
its address says calmly what it would take. Rights that end while a page is open take it away within seconds.

- **Members** (`member:read`): who is here, as what, who says so (the provider or the workspace), when they were last seen.
  Invitations, and service accounts beside people. Whoever gives access says also in which projects; the lists name those
  that somebody is limited to.
- **Roles** (`member:read`): the table above, as the server says it, with the workspace's own roles beside the others and how
  many have each. A role that somebody has cannot be deleted; the page says who.
- **Access** (`member:read`): choose a member, a service account or a key, and see each permission with yes or no and why: the
  role, the provider, the account of the key, a limit to projects, or that the key was made with less.
- **API keys** (`key:manage`): their first characters, role, last use and end. A key is shown once. Rotated ones stay until
  their overlap is over.
- **Audit** (`audit:read`): the latest first, by who, what, to which thing, result and time, all of which stand in the address;
  each row with what changed. What is filtered for can be kept as JSON lines or CSV.

The button at the end of the bar says who you are and in which workspace. It leads to your other workspaces, to how the pages
look, and out: at the provider too, where there is one.

![Members](../screenshots/members.png)

![Audit](../screenshots/audit.png)

## API keys and service accounts

A key is `ff_<environment>_<30 random characters><6 of checksum>`. The table holds HMAC-SHA256 of it under a pepper that
follows from the workspace's key, so that a copy of the database alone does not even tell whether a guess is right. Rotating
the master key does not change it. Where there is no master key, and for keys of earlier releases, it is SHA-256.

- `flowforge key create --role ROLE` makes a key on the server itself, because the first one has nobody before it.
  `createApiKey` makes one through the API: with a role, with only some of its permissions (`permissions`) or projects
  (`projects`), with an end (`expiresAt`).
- `form: FOREMAN` makes a key that looks like `fmn_<environment>_<workspace>_…` for clients that expect one. What a key says
  of itself opens nothing; only the table does.
- A **service account** is a program that is a member: it has a name and a role, its keys come and go, and the audit names
  the account. `createServiceAccount`, then `createApiKey` with its id. `disableServiceAccount` ends all of them.
- `flowforge key rotate KEY --overlap 24h` makes a successor with the same rights and limits; the old key works for that long beside it.
- `flowforge key list` says when each was last used, to the minute.
- A key that is revoked, or whose rights change, ends what it has open within five seconds, in every process.

Wrong keys are counted by address. After twenty, an address may try one every three seconds; more is answered with 429 and
`Retry-After`. Keys that were right before go on working from there. Behind a proxy, name the header that it sets in
`server.client_address_header`; without that, no header is believed.

## Audit

Every change and every denial is a row of the workspace's audit: who, what, to what, as it was and is, in which request, from
which address. What is denied to the same credential again and again is counted, and makes at most two rows a minute.

Each row has a hash over itself and the hash of the row before. Once a day the last hash is signed by the workspace's key and
kept as an anchor.

- `flowforge audit list` and `Query.audit` filter by actor, thing, action, result and time.
- `flowforge audit export` (`GET /api/v1/audit?format=jsonl|csv`) streams the rows, the oldest first. JSON lines end with an
  anchor of that moment, with the public key. In CSV no cell is a formula.
- `flowforge audit verify`, on the server, looks at everything and names the first row that was changed, dropped, slipped in
  or moved. `--export FILE` also compares with an earlier export: whoever owns the database, and takes its last rows, its
  head and its anchors away, is found out by what was kept elsewhere.
- Rows of releases before the chain have no hash, and are only counted.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_page_is_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guides/access.md");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == guide(), "docs/guides/access.md is out of date; run `make schema`");
    }
}
