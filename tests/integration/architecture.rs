//! `docs/architecture.md` says who may use whom; the code must agree.

#![allow(clippy::unwrap_used, reason = "a test that can't read the source has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The table: module to what it may use.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let rows: Vec<(String, String)> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`').to_owned(), cells[3].to_owned())
        })
        .collect();
    let names: BTreeSet<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    let ticked = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    rows.iter()
        .map(|(name, cell)| {
            let named = ticked(cell);
            let may = if cell.starts_with("everything") { &names - &named } else { named };
            (name.clone(), may)
        })
        .collect()
}

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

/// A file's code: comments and what follows `#[cfg(test)]` left out, white space folded.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The modules that a piece of code names after `crate::`, alone or in braces.
fn uses(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.insert(std::mem::take(&mut item));
                        continue;
                    }
                    _ => {}
                }
                if depth == 0 || !item.contains(':') {
                    item.push(c);
                }
            }
            found.insert(item);
        } else {
            found.insert(rest.to_owned());
        }
    }
    let first = |item: &String| {
        let name: String = item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (!name.is_empty()).then_some(name)
    };
    found.iter().filter_map(first).collect()
}

fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let allowed = allowed();
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut faults = Vec::new();
    let mut seen = 0;
    for file in files.iter().filter(|file| !matches!(module_of(file).as_str(), "lib" | "main")) {
        let module = module_of(file);
        let Some(may) = allowed.get(&module) else {
            faults.push(format!("{module} is not in docs/architecture.md"));
            continue;
        };
        for used in uses(&code(file)).iter().filter(|used| allowed.contains_key(*used) && **used != module) {
            seen += 1;
            if !may.contains(used) {
                faults.push(format!("{} uses {used}", file.display()));
            }
            if file.ends_with("model.rs") && used != "base" {
                faults.push(format!("{} is a model and uses {used}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen > 100, "the test saw only {seen} uses: it has lost its sight");
}

#[test]
fn the_table_has_no_cycle() {
    let allowed = allowed();
    let mut left: BTreeSet<&String> = allowed.keys().collect();
    while !left.is_empty() {
        let free: Vec<&String> = left
            .iter()
            .filter(|name| allowed[**name].iter().all(|used| used == **name || !left.contains(used)))
            .copied()
            .collect();
        assert!(!free.is_empty(), "a cycle among {left:?}");
        for name in free {
            left.remove(name);
        }
    }
}

#[test]
fn no_feature_reaches_into_anothers_queries_or_pages() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    for file in files {
        let (module, code) = (module_of(&file), code(&file));
        for inner in ["queries", "pages"] {
            for path in code.split("crate::").skip(1) {
                let mut parts = path.split("::");
                let (other, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                let reaches = other != module && second.starts_with(inner) && !second.starts_with("pages_");
                assert!(!reaches, "{} reaches into {other}::{inner}", file.display());
            }
        }
    }
}

/// A route that is added past the table is one that no test walks.
#[test]
fn routes_are_registered_through_the_table_alone() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let exempt = ["web/routes.rs", "web/assets.rs"];
    let mut seen = 0;
    for file in files.iter().filter(|file| module_of(file) != "sandbox") {
        let code = code(file);
        let makes = [".route(", ".nest(", ".route_service(", ".nest_service("].iter().any(|call| code.contains(call));
        seen += usize::from(makes);
        assert!(
            !makes || exempt.iter().any(|name| file.ends_with(name)),
            "{} makes a route past web::Routes",
            file.display()
        );
    }
    assert_eq!(seen, exempt.len(), "the test has lost its sight");
}

#[test]
fn templates_mirror_the_source() {
    for entry in std::fs::read_dir(root().join("templates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(root().join("src").join(&name).is_dir(), "templates/{name} has no src/{name}");
    }
}
