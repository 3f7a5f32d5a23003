//! Tables: printed as they grow, and kept for the JSON file.

use std::path::Path;

use serde_json::{Map, Value, json};

/// All tables of one run.
#[derive(Debug)]
pub(crate) struct Report {
    machine: String,
    tables: Vec<Table>,
}

#[derive(Debug)]
struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Report {
    pub(crate) fn new(machine: String) -> Self {
        println!("{machine}");
        Self {
            machine,
            tables: Vec::new(),
        }
    }

    /// Begins a table.
    pub(crate) fn table(&mut self, title: &str, columns: &[&str]) {
        println!("\n## {title}\n\n| {} |", columns.join(" | "));
        println!("|{}", " --- |".repeat(columns.len()));
        self.tables.push(Table {
            title: title.to_owned(),
            columns: columns.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        });
    }

    /// Adds a row to the table that was begun last.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        println!("| {} |", cells.join(" | "));
        let table = self.tables.last_mut().expect("a table that was begun");
        assert_eq!(cells.len(), table.columns.len(), "{cells:?}");
        table.rows.push(cells);
    }

    /// Writes everything as JSON: for each table its rows as objects.
    pub(crate) fn write(&self, path: &Path) {
        let tables: Map<_, _> = self.tables.iter().map(Table::as_json).collect();
        let report = json!({"machine": self.machine, "tables": tables});
        std::fs::write(path, format!("{report:#}\n")).expect("writing the tables");
    }
}

impl Table {
    fn as_json(&self) -> (String, Value) {
        let row = |cells: &Vec<String>| -> Map<String, Value> {
            let cells = cells.iter().map(|cell| Value::from(cell.as_str()));
            self.columns.iter().cloned().zip(cells).collect()
        };
        (self.title.clone(), self.rows.iter().map(row).collect())
    }
}
