//! The page that tells what was measured.

use super::{
    Outcome,
    forward::Forwarded,
    load::{Answered, CONNECTIONS},
    measure::Sustained,
};
use doorway::base::clock::{self, Clock};
use std::{fmt::Write as _, time::Duration};

/// With so many updates a request.
pub struct Run {
    pub updates: u64,
    pub ceiling: Answered,
    pub acknowledged: Answered,
    pub sustained: Sustained,
}

/// All of one engine.
pub struct Engine {
    pub name: &'static str,
    pub version: String,
    pub runs: Vec<Run>,
    pub paced: Sustained,
    pub few: Sustained,
    pub full: Sustained,
    pub forwarded: Forwarded,
}

/// A number with commas.
fn number(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn rate(answered: &Answered, updates: u64) -> f64 {
    (answered.requests * updates) as f64 / answered.elapsed
}

fn verdict(value: f64, target: f64, at_least: bool) -> &'static str {
    if (value >= target) == at_least { "reached" } else { "**missed**" }
}

fn file(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn machine() -> String {
    let cpu = file("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = file("/proc/meminfo");
    let kib = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default();
    let kernel = file("/proc/sys/kernel/osrelease");
    let load = file("/proc/loadavg");
    format!(
        "{cores} cores ({}), {:.0} GB of memory, Linux {}; load average at the end {}",
        model.trim_start_matches([' ', '\t', ':']).trim(),
        kib / 1024.0 / 1024.0,
        kernel.trim(),
        load.split(' ').next().unwrap_or_default()
    )
}

/// Markdown.
pub async fn page(engines: &[Engine], short: Duration, long: Duration, many: i64) -> Outcome<String> {
    let mut page = format!(
        "# Benchmarks of the webhook intake\n\n\
         Written by `scripts/bench` on {}.\n\nMachine: {}. The load generator, and PostgreSQL, run on the same cores.\n\n\
         What is sent: signed status webhooks of Meta's shape (about 700 bytes an update), all different, one in 50 of them \
         twice, of 20 connected numbers, over {CONNECTIONS} connections that stay open. SQLite commits with \
         `synchronous=FULL`, PostgreSQL with `fsync` and `synchronous_commit` on. The release build, with its logging.\n\n\
         - *Ceiling*: the same server verifies, answers and keeps nothing ({} s).\n\
         - *Acknowledged*: verified, committed, then answered; routing waits meanwhile ({} s).\n\
         - *Sustained*: the whole portal: acknowledged and routed, duplicates dropped, what follows done ({} s).\n\n\
         Rates count updates (statuses), not requests. Times are those of a request.\n",
        clock::rfc3339(Clock::system().now()),
        machine(),
        short.as_secs(),
        short.as_secs(),
        long.as_secs(),
    );
    for engine in engines {
        section(&mut page, engine, many)?;
    }
    Ok(page)
}

fn section(page: &mut String, engine: &Engine, many: i64) -> Outcome<()> {
    writeln!(page, "\n## {} {}\n", engine.name, engine.version)?;
    writeln!(
        page,
        "| Updates a request | | Updates a second | Of the ceiling | p50 | p99 |\n|---:|---|---:|---:|---:|---:|"
    )?;
    for Run { updates, ceiling, acknowledged, sustained } in &engine.runs {
        let top = rate(ceiling, *updates);
        for (what, answered) in
            [("ceiling", ceiling), ("acknowledged", acknowledged), ("sustained", &sustained.answered)]
        {
            let routed = (what == "sustained").then_some(sustained.routed * *updates as f64);
            let rate = routed.map_or(f64::INFINITY, |routed| routed).min(rate(answered, *updates));
            writeln!(
                page,
                "| {updates} | {what} | {} | {:.0} % | {:.2} ms | {:.2} ms |",
                number(rate),
                rate / top * 100.0,
                answered.p50_ms,
                answered.p99_ms
            )?;
        }
    }
    writeln!(page)?;
    for Run { updates, sustained, .. } in &engine.runs {
        writeln!(
            page,
            "- Sustained with {updates} a request: backlog at most {} requests, {} at the end, gone {:.1} s later; each update \
             once: {}; server's processor time {:.1} µs an update; most memory {} MB.",
            number(sustained.backlog.0 as f64),
            number(sustained.backlog.1 as f64),
            sustained.caught_up,
            if sustained.exact && sustained.answered.refused == 0 { "yes" } else { "**no**" },
            sustained.cpu_us,
            sustained.peak_mb
        )?;
    }
    let (paced, few, full) = (&engine.paced, &engine.few, &engine.full);
    writeln!(
        page,
        "- At 3,300 a second, routed meanwhile: p50 {:.2} ms, p99 {:.2} ms, longest {:.1} ms; backlog at most {}.",
        paced.answered.p50_ms,
        paced.answered.p99_ms,
        paced.answered.max_ms,
        number(paced.backlog.0 as f64)
    )?;
    let cost = |run: &Sustained| 1e6 / run.routed.min(rate(&run.answered, 1));
    writeln!(
        page,
        "- Cost of an event with 1,000 stored: {:.1} µs ({:.1} µs of the server's processor time); with {} stored: {:.1} µs \
         ({:.1} µs).",
        cost(few),
        few.cpu_us,
        number(many as f64),
        cost(full),
        full.cpu_us
    )?;
    let Forwarded { endpoints, hanging, calm, burst, cpu_us, peak_mb } = engine.forwarded;
    writeln!(
        page,
        "- Forwarding to {endpoints} endpoints of which {hanging} never answer: {} calls a second ({} in {:.1} s, from {} webhooks \
         a second); {cpu_us:.0} µs of the server's processor time a call, most memory {peak_mb} MB. With {} webhooks and {} calls \
         a second the intake's p99 is {:.2} ms.\n",
        number(burst.calls as f64 / burst.elapsed),
        number(burst.calls as f64),
        burst.elapsed,
        number(burst.rate as f64),
        number(calm.rate as f64),
        number(calm.calls as f64 / calm.elapsed),
        calm.p99_ms
    )?;
    writeln!(page, "| Target | Measured | |\n|---|---:|---|")?;
    let run = &engine.runs[0];
    let part = |value: f64| value / rate(&run.ceiling, 1) * 100.0;
    let wanted = if engine.name == "SQLite" { 50.0 } else { 40.0 };
    let acknowledged = part(rate(&run.acknowledged, 1));
    let sustained = part(run.sustained.routed.min(rate(&run.sustained.answered, 1)));
    let grown = cost(full) / cost(few);
    writeln!(
        page,
        "| acknowledged at least {wanted:.0} % of the ceiling | {acknowledged:.0} % | {} |",
        verdict(acknowledged, wanted, true)
    )?;
    writeln!(
        page,
        "| sustained at least a third of it | {sustained:.0} % | {} |",
        verdict(sustained, 100.0 / 3.0, true)
    )?;
    writeln!(
        page,
        "| p99 under 15 ms at 3,300 a second | {:.1} ms | {} |",
        paced.answered.p99_ms,
        verdict(paced.answered.p99_ms, 15.0, false)
    )?;
    writeln!(
        page,
        "| flat: at most a quarter dearer with {} stored | ×{grown:.2} | {} |",
        number(many as f64),
        verdict(grown, 1.25, false)
    )?;
    Ok(())
}
