//! Runs every fuzz target for a while on its corpus and on what becomes of it by chance.
//!
//! `fuzz-smoke [--seconds N] [--seed N] [--target NAME]`. The same seed makes the same inputs. An input that fails is
//! written to `artifacts/` and named.

use std::{
    error::Error,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use roomkey_fuzz::{TARGETS, Target};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    println!("seed {}", options.seed);
    let targets =
        TARGETS.iter().filter(|target| options.target.as_deref().is_none_or(|name| name == target.name));
    let targets: Vec<_> = targets.collect();
    for target in &targets {
        let time = options.time / u32::try_from(targets.len())?;
        let runs = smoke(target, options.seed, time)?;
        println!("{}: {runs} inputs", target.name);
    }
    if targets.is_empty() { Err("there is no such target".into()) } else { Ok(()) }
}

struct Options {
    seed: u64,
    time: Duration,
    target: Option<String>,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        #[allow(clippy::disallowed_methods, reason = "a seed may be anything; it is printed")]
        let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.subsec_nanos();
        let mut options = Self { seed: u64::from(nanos), time: Duration::from_secs(10), target: None };
        while let Some(name) = args.next() {
            let value = args.next().ok_or("an option needs a value")?;
            match name.as_str() {
                "--seconds" => options.time = Duration::from_secs(value.parse()?),
                "--seed" => options.seed = value.parse()?,
                "--target" => options.target = Some(value),
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        Ok(options)
    }
}

/// Runs the corpus as it is, then mutations of it until the time is over; the number of inputs.
fn smoke(target: &Target, seed: u64, time: Duration) -> Result<u64, Box<dyn Error>> {
    const CHECK_TIME_EVERY: u64 = 64;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<PathBuf> = fs::read_dir(folder.join("corpus").join(target.name))?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths.iter().map(fs::read).collect::<Result<_, _>>()?;
    if corpus.is_empty() {
        return Err(format!("the corpus of {} is empty", target.name).into());
    }

    let run = |input: &[u8]| -> Result<(), Box<dyn Error>> {
        if catch_unwind(|| (target.run)(input)).is_ok() {
            return Ok(());
        }
        let artifact = folder.join("artifacts").join(format!("{}-{seed}", target.name));
        fs::create_dir_all(folder.join("artifacts"))?;
        fs::write(&artifact, input)?;
        Err(format!("{} failed with seed {seed} on {}", target.name, artifact.display()).into())
    };
    for input in &corpus {
        run(input)?;
    }
    #[allow(clippy::disallowed_methods, reason = "the time is only when to stop")]
    let end = Instant::now() + time;
    let mut chance = Chance(seed);
    let mut runs = corpus.len() as u64;
    loop {
        run(&mutation(&corpus, target.dictionary, &mut chance))?;
        runs += 1;
        #[allow(clippy::disallowed_methods, reason = "the time is only when to stop")]
        if runs.is_multiple_of(CHECK_TIME_EVERY) && Instant::now() >= end {
            return Ok(runs);
        }
    }
}

/// One of the corpus after a few random changes.
fn mutation(corpus: &[Vec<u8>], dictionary: &[&[u8]], chance: &mut Chance) -> Vec<u8> {
    let mut input = chance.pick(corpus).clone();
    for _ in 0..=chance.below(6) {
        let at = chance.below(input.len() + 1);
        let end = at + chance.below((input.len() - at).min(16) + 1);
        match chance.below(7) {
            0 => drop(input.drain(at..end)),
            1 => drop(input.splice(at..at, input[at..end].to_vec())),
            2 => drop(input.splice(at..end, chance.pick(dictionary).iter().copied())),
            3 => drop(input.splice(at..at, chance.pick(dictionary).iter().copied())),
            4 => {
                let other = chance.pick(corpus);
                let from = chance.below(other.len() + 1);
                drop(input.splice(at..end, other[from..].iter().copied()));
            }
            5 => {
                let byte = chance.next().to_le_bytes()[0];
                input.insert(at, byte);
            }
            _ => {
                let bit = 1 << chance.below(8);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bit;
                }
            }
        }
    }
    input
}

/// Reproducible random numbers (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}
