//! The audit log is only ever added to, by one statement.

use std::path::{Path, PathBuf};

fn files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "sql") {
            into.push(path);
        }
    }
}

#[test]
fn no_statement_changes_or_removes_an_entry() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    files(&root.join("src"), &mut all);
    files(&root.join("migrations"), &mut all);
    let mut inserts = Vec::new();
    let mut mentions = 0;
    for file in all {
        let text = std::fs::read_to_string(&file).unwrap().to_lowercase().replace('\\', " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        mentions += text.matches("audit_log").count();
        for forbidden in ["update audit_log", "delete from audit_log", "drop table audit_log", "truncate table"] {
            assert!(!text.contains(forbidden), "{}: {forbidden}", file.display());
        }
        inserts.extend(text.matches("insert into audit_log").map(|_| file.clone()));
    }
    assert!(mentions > 5, "the test has lost its sight");
    assert_eq!(inserts, [root.join("src/accounts/audit.rs")], "one place writes it");
}
