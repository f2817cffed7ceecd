use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

/// An HTTP server on a port of its own that answers each request with the bytes it was last given, whatever they are.
///
/// Its threads end with the process.
pub struct Endpoint {
    port: u16,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    answer: Vec<u8>,
    requests: Vec<String>,
}

impl Endpoint {
    /// Begins to answer.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn start(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Mutex::new(Shared { answer: answer.into(), requests: Vec::new() }));
        let served = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = served.clone();
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { port, shared }
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What is answered from now on.
    pub fn answer(&self, answer: impl Into<Vec<u8>>) {
        locked(&self.shared).answer = answer.into();
    }

    /// The requests that came, oldest first: heads and bodies as they were.
    pub fn requests(&self) -> Vec<String> {
        locked(&self.shared).requests.clone()
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        locked(&self.shared).requests.len()
    }

    /// Counts from here.
    pub fn forget(&self) {
        locked(&self.shared).requests.clear();
    }

    /// A good answer with these header lines and this body.
    pub fn ok(headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        [head.as_bytes(), body].concat()
    }

    /// The head of a request, for servers of a test's own.
    pub fn read_request(stream: &mut TcpStream) -> Option<String> {
        let (mut request, mut byte) = (Vec::new(), [0]);
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).ok()?;
            request.push(byte[0]);
        }
        String::from_utf8(request).ok()
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) {
    let Some(mut request) = Endpoint::read_request(&mut stream) else { return };
    let mut body = vec![0; content_length(&request)];
    if stream.read_exact(&mut body).is_err() {
        return;
    }
    request.push_str(&String::from_utf8_lossy(&body));
    let answer = {
        let mut shared = locked(shared);
        shared.requests.push(request);
        shared.answer.clone()
    };
    // Whoever has heard enough hangs up.
    _ = stream.write_all(&answer);
}

fn content_length(head: &str) -> usize {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
