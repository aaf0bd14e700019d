//! The properties of every decoder, over the stored corpus and inputs made from it by mutation. To search longer:
//! `ROLLCALL_SEEDS=1000`, or the fuzz targets in `tests/fuzz`.

mod mutate;

use std::{fs, path::Path};

use tests::{
    fuzz::{TARGETS, Target},
    sim::{Random, seeds},
};

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn the_corpus_is_read_without_harm() {
    for (name, target) in TARGETS {
        let inputs = corpus(name);
        assert!(inputs.len() > 3, "{name}");
        inputs.iter().for_each(|input| target(input));
    }
}

/// The smallest stacks that a decoder runs on are those of tokio's threads: 2 MiB, as here.
#[test]
fn mutations_of_the_corpus_are_read_without_harm() {
    for (name, target) in TARGETS {
        let inputs = corpus(name);
        seeds(name, 0..20, |seed| {
            mutations((name, target), &inputs, seed);
            async {}
        });
    }
}

fn mutations((_, target): Target, inputs: &[Vec<u8>], seed: u64) {
    let mut random = Random::new(seed);
    for _ in 0..20 {
        target(&mutate::mutate(&mut random, inputs));
    }
}

#[test]
fn every_decoder_has_its_fuzz_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest: toml::Table = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap().parse().unwrap();
    let bins: Vec<&str> = manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap()).collect();
    assert_eq!(bins, TARGETS.map(|(name, _)| name));
    for (name, _) in TARGETS {
        let target = fs::read_to_string(fuzz.join("targets").join(name).with_extension("rs")).unwrap();
        assert!(target.contains(&format!("fuzz::{name}(bytes)")), "{target}");
    }
}
