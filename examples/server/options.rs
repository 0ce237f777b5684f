//! What stands on the command line.

use std::net::SocketAddr;

pub(crate) const USAGE: &str = "\
usage: cargo run --example server -- [--config FILE] [--listen ADDRESS:PORT] [--import DUMP]
       cargo run --example server -- --testing [--listen ADDRESS:PORT]
       cargo run --example server -- export DUMP [--config FILE]
       cargo run --example server -- import DUMP [--config FILE]";

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) task: Task,
    pub(crate) config: Option<String>,
    pub(crate) listen: Option<SocketAddr>,
    /// A dump to read before serving.
    pub(crate) import: Option<String>,
}

/// What is to be done.
#[derive(Default)]
pub(crate) enum Task {
    #[default]
    Serve,
    /// Serve tests.
    Testing,
    /// Everything in the store into this file.
    Export(String),
    /// Everything in this file into the store.
    Import(String),
    Help,
}

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut first = true;
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next().filter(|value| !value.starts_with("--"));
                value.ok_or(format!("{argument} needs a value\n{USAGE}"))
            };
            match argument.as_str() {
                "export" if first => options.task = Task::Export(value()?),
                "import" if first => options.task = Task::Import(value()?),
                "--config" => options.config = Some(value()?),
                "--import" => options.import = Some(value()?),
                "--testing" => options.task = Task::Testing,
                "--listen" => {
                    let text = value()?;
                    let address = text.parse();
                    options.listen = Some(
                        address.map_err(|_| format!("--listen: {text:?} is not an address such as 127.0.0.1:8080"))?,
                    );
                }
                "--help" | "-h" => options.task = Task::Help,
                other => return Err(format!("{other:?} is not an option\n{USAGE}")),
            }
            first = false;
        }
        if matches!(options.task, Task::Export(_) | Task::Import(_))
            && (options.listen.is_some() || options.import.is_some())
        {
            return Err(format!("export and import take no option but --config\n{USAGE}"));
        }
        if matches!(options.task, Task::Testing) && (options.config.is_some() || options.import.is_some()) {
            return Err(format!("--testing takes no option but --listen: the rest is told over HTTP\n{USAGE}"));
        }
        Ok(options)
    }
}
