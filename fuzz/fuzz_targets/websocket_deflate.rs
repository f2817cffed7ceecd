//! The target `websocket_deflate` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| roomkey_fuzz::websocket_deflate::run(data));
