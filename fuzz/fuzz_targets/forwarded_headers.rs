//! The target `forwarded_headers` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| roomkey_fuzz::forwarded_headers::run(data));
