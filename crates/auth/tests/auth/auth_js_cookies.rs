//! Cookies that Auth.js itself has made: `encode` of `@auth/core` 0.34.3 (version 5) and of `next-auth` 4.24.15, with
//! [`SECRET`](crate::forge::SECRET), ten seconds before [`NOW`](crate::forge::NOW).
//!
//! Sessions are those of `{name: "Alice", email: "alice@example.com", sub: "alice"}` for 30 days.

/// The session of an application with HTTPS.
pub(crate) const V5: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoibFRfWFpxSXpjZFlWWVZqME1SV3lQOWhGZWp1Q1FDSWg1RkhaRG9MSkstN1BobU82cXFhS1JITk5jQXozc3NfbmQ4NFJvajJoM3hWdGNqcWpSMm9SUHcifQ..QFAgDNS1OqtcR6UwNUMUrA.mjxhF5w5cDlAYG2JMVztd7xhv9NXIQG9jIsvVo43aQR4jr-QarHRJ7aEKGeeHlfpcHg5-alebP0ZOTAVL1O2o-2ygj121lb4DmECNEp4kvtDISO5xLZ5aCIfRa0VVYoWXvcnX47uE8Mfxku8m_tyv1OQ4iRrAUTonhbd2kMdfF2xtUFqLN_i_b_nlZzM986cO7HWiqBMWMlsfWUtORep9ABjYzgAgM9n5fs9BUt_AO8.RZfznOQ0phTWfvE4gF06tTlkCRM5TmfDXupBniNxSKI";

/// The same without HTTPS: the name of the cookie is another, and so is the key.
pub(crate) const V5_HTTP: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoiUV83a0t5MVVuS1NJeGlPZ3d3YXdNcWEtazc2RkVLamhDeWhVUk55YlRhNDJLUS1DVXQ4T3Jla0NvbkZZUkZxLVBDdll1bWM3MDlWd2R0R08wdEhDc0EifQ..ABACKTWMM1MA_Px84apwCA.yshJaePuW_sU1A_mwOASFUYV_S8CLoZG6h2QuG7B2kJPN1TCtDbybfNcbVrHfx4hdwTuNBlX-Ne5rl1gltJqw-29kk3k1J6tNe5KQD5uxSt9KhEIR7fZb41DQ9Ga0_Xm1ti_C6eVWWJbJW1ngYfJn7dEQskFJ8OkeOlzjUkm01D4YdKieKCpAvDx_ed4nqZHjrlHfC4juGnP9JVSqhE-QtSt4Ttl0c2ZqU2cV9H6NX0.lpFpCs1Bwl3AXmYqSdtWuHaiz2_UBxBu4VJwjW3x1eg";

/// What version 5 remembers of a login, in `__Secure-authjs.pkce.code_verifier`.
pub(crate) const V5_PKCE: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoiSVgwVXoxZi0xc2pSQzBxTnZfSnZjVkZOZnhuVmVqaW1LVF94Qk1iUDJZU0RJNUxGMkhiZE1kWnFaOGZOcGFyQmF0czdhYVk2OGVYZ1pSZGRnNlNGU3cifQ..nWvFfZWvX4_gRnrBxeC-wg.9MCVJYC9LnnlIJInYYaWyavFvjqA2XKTQYhIMsJzsUv9uY-KbJIctQ6NXPYc2q1BojUL7_LqXkertvz__vXSCWXI9yvBZAPLfJzMGKIRAOIvhA5SAR8NFmVgFO1zz7fyBXQsdCbG5ChpC8CClQqdqeni2IgmTPkTJwQ2zOL7afu09vWi8taV5Db--Ts-IrhW.ArZVTtZMQWeQIllbxZR3Znw-8ApUMSJrgsjGJ__tYPw";

/// And in `__Secure-authjs.state`.
pub(crate) const V5_STATE: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoiZndMN3B3YTh2a0t1ajd3bUZqODJtdWxySURhQjVCWG1nVGdZN18zUS0yLTBDUUpmRjR0aE5LWG5rSDF2OXhpcWRMYTd2UGM5RzJiWkloRzBxLXVjUXcifQ..Bj3g1HjUM8TBWFq9lchesQ.uGznIUF5elRXojsAI6KKjLmoqOHyK7klPWx7iRCw09Sev0DEvZb8xS-Oese8le3_ppwGD50pMQSO9dI_NQkWIJwMlegF7GC1i-bXhOHYuKfYw6eKPY_49jaHJHmjyWH9AjePYLa4rVEfqD7O88FKCwwKGjims4YUuK1NlQYFvwMRSBYZJ6RzM2BNQv188STg.Z2O44TTXNkpkwsHxP4iSnSaxmDx4XjO4JmDcKZlUEDI";

/// A session of NextAuth 4.
pub(crate) const V4: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..BCMJk-KqkmdFpnqV.aRsJdGK1fuQ0WziNbxdRlA3OX38EyecBqQMuIlwP3f8lWDno5dlp9DwnR821GEt2dL9EKBf5Fp42psmMNpLUFalet9uHETOR8-J76PDBQj85csaBkdFe8z4dhx5gqx58yceCdXo3YPJdO9ScJ9k6HbdbJNeaLjzG1V6cn7B7QtE-1UNJo7cmXTCnpeVFWofIAV-cwMlbQft8In_KzZ7XG0tpcugpZXJ6tLjhXYG3Sg.7FLQA5aUkKUfV_RiYVrEaA";

/// What NextAuth remembered of a login before 4.24.5, with the key of its sessions.
pub(crate) const V4_STATE: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..0c7k3h3cTEypKzge.Rqi8rP5ANGnj3ZXZYFqNqRBfCNmLmDttIFLaWgoq1PLrvguZtLQbfaJNsSneGcqvzwkxnCnwyRk9t8UR5TU0ytMNm6-aESLmEBRX_RZPONdhZjYELv4l3GyINrVjiccP1mzrPJGB2nvxdy1etgXgdJFNnYtnFjvNYsXd4qdbsNCOejQO_hg.GXVg1Uj402ELfFu_SeM_9Q";

/// And since then, with a key of its own.
pub(crate) const V4_CHECK: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..8WALEp44E999BDQb.5Ad7fO1V6Gkb9nLHUNDWj-ApLmi2Ai-wM4b3HlTVlHX5XN7E8MdW7DfxI962i0FhRfosrTYhlCBFPMXA0TrRvoyH5d9HZ-N6JvUsUa4IORyaKhXo1fLjr9ne94dIprKU49imfn0n_m3SZmzRgWH96ElmK7Jpubn0e9rmlZxKx8hl54XE7E0.xUMGwiuNxFpLIgjY0Da5VQ";
