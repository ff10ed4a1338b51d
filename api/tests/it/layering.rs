//! `graphql | rest → service → store → entity`, and no other way.

use std::path::{Path, PathBuf};

pub(crate) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Where the crate's code is.
pub(crate) fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of a module that name what it must not.
fn offenders(module: &str, forbidden: &[&str]) -> Vec<String> {
    let root = src();
    let mut files = vec![root.join(format!("{module}.rs"))];
    sources(&root.join(module), &mut files);
    assert!(files.len() > 2, "{module} has files");
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in forbidden.iter().filter(|word| text.contains(**word)) {
            found.push(format!("{} names {word}", file.display()));
        }
    }
    found
}

#[test]
fn use_cases_and_sql_know_nothing_of_the_edges() {
    for module in ["service", "store"] {
        let edges = ["async_graphql", "axum", "crate::graphql", "crate::rest"];
        assert_eq!(offenders(module, &edges), Vec::<String>::new());
    }
}

#[test]
fn the_edges_and_use_cases_write_no_sql() {
    for module in ["graphql", "rest"] {
        assert_eq!(offenders(module, &["sea_orm", "entity::", "crate::store"]), Vec::<String>::new());
    }
    let queries = ["EntityTrait", "QueryFilter", "Statement", "entity::"];
    assert_eq!(offenders("service", &queries), Vec::<String>::new());
}
