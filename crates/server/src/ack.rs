use roomkey_model::Failure;
use roomkey_protocol::socket::{Binary, EncodeError, Encoded, Payload, encode_ack, encode_ack_raw};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

/// What a handler may return: the answer to an event, if the client asked for one.
pub trait IntoAck: Send {
    /// Encodes the ack packet with this id.
    fn into_ack(self, namespace: &str, id: u64) -> Result<Encoded, EncodeError>;
}

/// Any value that serializes, as the one argument of an ack.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// A tuple or a slice, as all the arguments of an ack.
#[derive(Clone, Copy, Debug)]
pub struct Args<T>(pub T);

impl<T: Serialize + Send> IntoAck for Json<T> {
    fn into_ack(self, namespace: &str, id: u64) -> Result<Encoded, EncodeError> {
        encode_ack(namespace, id, &(self.0,))
    }
}

impl<T: Serialize + Send> IntoAck for Args<T> {
    fn into_ack(self, namespace: &str, id: u64) -> Result<Encoded, EncodeError> {
        encode_ack(namespace, id, &self.0)
    }
}

/// An ack without arguments.
impl IntoAck for () {
    fn into_ack(self, namespace: &str, id: u64) -> Result<Encoded, EncodeError> {
        encode_ack_raw(namespace, id, "[]", Vec::new())
    }
}

/// The arguments of the event, or of another one, as they were received.
impl IntoAck for Payload {
    fn into_ack(self, namespace: &str, id: u64) -> Result<Encoded, EncodeError> {
        encode_ack_raw(namespace, id, self.json(), self.attachments().to_vec())
    }
}

impl<T: IntoAck, E: IntoAck> IntoAck for Result<T, E> {
    fn into_ack(self, namespace: &str, id: u64) -> Result<Encoded, EncodeError> {
        match self {
            Ok(answer) => answer.into_ack(namespace, id),
            Err(failure) => failure.into_ack(namespace, id),
        }
    }
}

/// Values that are the one argument of an ack.
macro_rules! one_argument {
    ($($type:ty),*) => {
        $(
            impl IntoAck for $type {
                fn into_ack(self, namespace: &str, id: u64) -> Result<Encoded, EncodeError> {
                    Json(self).into_ack(namespace, id)
                }
            }
        )*
    };
}

one_argument!(&'static str, Binary, Box<RawValue>, Failure, String, Value, bool, f64, i64, u32, u64);
