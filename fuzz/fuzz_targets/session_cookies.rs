//! The target `session_cookies` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| roomkey_fuzz::session_cookies::run(data));
