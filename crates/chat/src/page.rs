use roomkey_store::Message;

/// The oldest messages, as many as fit into so many bytes of content, and at least one; whether that is not all of them.
pub(crate) fn oldest_within(mut messages: Vec<Message>, bytes_max: usize) -> (Vec<Message>, bool) {
    let count = count_within(messages.iter(), bytes_max);
    let is_cut = count < messages.len();
    messages.truncate(count);
    (messages, is_cut)
}

/// The newest messages, as many as fit into so many bytes of content, and at least one.
pub(crate) fn newest_within(mut messages: Vec<Message>, bytes_max: usize) -> Vec<Message> {
    let count = count_within(messages.iter().rev(), bytes_max);
    messages.split_off(messages.len() - count)
}

fn count_within<'a>(messages: impl Iterator<Item = &'a Message>, bytes_max: usize) -> usize {
    let mut bytes = 0;
    let fits = |(index, message): &(usize, &Message)| {
        bytes += message.content.len();
        *index == 0 || bytes <= bytes_max
    };
    messages.enumerate().take_while(fits).count()
}
