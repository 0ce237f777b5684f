//! `docs/spec-map.md` and the tests agree, in both directions.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A row of one of the map's tables.
struct Row {
    table: String,
    id: String,
    tests: Vec<String>,
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(Path::new(ROOT).join("docs/spec-map.md")).unwrap();
    let mut table = String::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut table);
        }
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let is_row =
            line.starts_with('|') && !matches!(cells[0], "id" | "specification") && !cells[0].starts_with("---");
        if is_row {
            let spans = line.split('`').skip(1).step_by(2);
            let tests = spans.filter(|span| is_test_name(span)).map(str::to_owned).collect();
            rows.push(Row { table: table.clone(), id: cells[0].to_owned(), tests });
        }
    }
    rows
}

fn is_test_name(span: &str) -> bool {
    span.split_once("::").is_some_and(|(file, function)| {
        let word =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        word(file) && word(function)
    })
}

/// Every test function of the catalogue, as `file::function`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(Path::new(ROOT).join("tests/attacks")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            let attribute = line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            assert!(!line.starts_with("#[ignore"), "{file}: an ignored test proves nothing");
            let function = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "));
            match function {
                Some(rest) if is_test => {
                    found.insert(format!("{file}::{}", rest.split('(').next().unwrap()));
                    is_test = false;
                }
                // Tests that a macro makes are not seen here: none are made so.
                _ => is_test = attribute || (is_test && (line.starts_with('#') || line.is_empty())),
            }
        }
    }
    found
}

#[test]
fn every_test_that_the_map_names_exists() {
    let tests = tests();
    let missing: Vec<String> =
        rows().into_iter().flat_map(|row| row.tests).filter(|test| !tests.contains(test)).collect();
    assert!(missing.is_empty(), "docs/spec-map.md names tests that do not exist:\n{}", missing.join("\n"));
}

#[test]
fn every_test_of_the_catalogue_is_in_the_map() {
    let named: BTreeSet<String> = rows().into_iter().flat_map(|row| row.tests).collect();
    let missing: Vec<String> = tests().into_iter().filter(|test| !named.contains(test)).collect();
    assert!(missing.is_empty(), "tests that docs/spec-map.md does not name:\n{}", missing.join("\n"));
}

#[test]
fn every_row_has_a_test_that_bears_its_id() {
    for row in rows().iter().filter(|row| row.table == "The catalogue") {
        let prefix = format!("::{}_", row.id.to_lowercase().replace('-', "_"));
        assert!(!row.tests.is_empty(), "{} has no test", row.id);
        for test in &row.tests {
            assert!(test.contains(&prefix), "{}: {test} does not begin with the id", row.id);
        }
    }
    for row in rows().iter().filter(|row| row.table == "The specifications") {
        assert!(!row.tests.is_empty(), "{} has no test", row.id);
    }
}
