//! The target `jwk_set` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| roomkey_fuzz::jwk_set::run(data));
