//! The target `jwe` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| roomkey_fuzz::jwe::run(data));
