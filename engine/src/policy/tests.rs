use super::*;

#[test]
fn the_whole_matrix_is_as_it_was_agreed() {
    let mut matrix = String::new();
    for permission in Permission::ALL {
        let cells = Role::ALL.iter().map(|role| if role.may(*permission) { role.as_str() } else { "-" });
        let cells: Vec<String> = cells.map(|cell| format!("{cell:<9}")).collect();
        matrix.push_str(format!("{:<18} {}", permission.as_str(), cells.join("")).trim_end());
        matrix.push('\n');
    }
    insta::assert_snapshot!(matrix, @r"
    read               owner    admin    editor   operator approver viewer
    run:start          owner    admin    editor   operator -        -
    run:signal         owner    admin    editor   operator approver -
    run:control        owner    admin    editor   operator -        -
    workflow:edit      owner    admin    editor   -        -        -
    workflow:publish   owner    admin    editor   -        -        -
    workflow:deploy    owner    admin    editor   -        -        -
    connection:use     owner    admin    editor   -        -        -
    connection:manage  owner    admin    -        -        -        -
    project:manage     owner    admin    -        -        -        -
    quota:manage       owner    admin    -        -        -        -
    outgoing:manage    owner    admin    -        -        -        -
    member:read        owner    admin    editor   -        -        -
    member:manage      owner    admin    -        -        -        -
    key:manage         owner    admin    -        -        -        -
    audit:read         owner    admin    -        -        -        -
    workspace:manage   owner    admin    -        -        -        -
    workspace:own      owner    -        -        -        -        -
    ");
}

#[test]
fn who_is_limited_to_projects_has_nothing_over_the_workspace() {
    let words = |role: Role| {
        let kept = role.permissions().in_projects();
        role.permissions().without(kept).iter().map(Permission::as_str).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        words(Role::Owner),
        "project:manage quota:manage outgoing:manage member:manage key:manage audit:read workspace:manage workspace:own"
    );
    assert_eq!(words(Role::Editor), "", "an editor of some projects stays one");
    assert_eq!(Role::Admin.permissions().in_projects().nearest(), Role::Editor);
}

#[test]
fn words_read_back_and_others_are_named() {
    for role in Role::ALL {
        assert_eq!(Role::parse(role.as_str()), Some(*role));
    }
    for permission in Permission::ALL {
        assert_eq!(Permission::parse(permission.as_str()), Some(*permission));
        assert!(permission.about().ends_with('.') && !permission.about().contains("\n"), "{permission:?}");
    }
    assert_eq!(Role::parse("root"), None);
    assert_eq!(Permissions::parse(["read", "run:begin"]), Err("run:begin"));
    let parsed = Permissions::parse(["run:start", "read"]).unwrap();
    assert_eq!(parsed.iter().collect::<Vec<_>>(), [Permission::Read, Permission::RunStart]);
}

#[test]
fn a_mightier_role_may_all_that_a_lesser_one_may() {
    for pair in Role::ALL.windows(2) {
        assert!(pair[0].permissions().contains(pair[1].permissions()), "{pair:?}");
        assert!(pair[0] > pair[1]);
    }
    assert_eq!(Role::Owner.permissions(), Permissions::all());
    for role in Role::ALL {
        assert!(role.may(Permission::Read));
        assert_eq!(role.permissions().nearest(), *role);
    }
}

#[test]
fn sets_are_taken_apart_and_together() {
    let (some, more) = (Role::Viewer.permissions(), Role::Operator.permissions());
    assert_eq!(more.and(some), some);
    assert_eq!(some.or(more), more);
    assert!(more.without(some).iter().eq([Permission::RunStart, Permission::RunSignal, Permission::RunControl]));
    assert!(!some.contains(more) && more.contains(some) && some.contains(Permissions::NONE));
    assert_eq!(Permissions::NONE.nearest(), Role::Viewer);
}
