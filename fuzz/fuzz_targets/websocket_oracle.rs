//! The target `websocket_oracle` for libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| roomkey_fuzz::websocket_oracle::run(data));
