use std::{fmt, path::PathBuf};

/// The first thing in a log that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) file: PathBuf,
    /// From 1; the last one read where what is wrong comes after it.
    pub(crate) line: u64,
    pub(crate) fault: Fault,
}

/// What can be wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The record that was noted is older than any that is kept.
    Anchor,
    /// The line is no record, or not the one that its hash was made of.
    Edited,
    /// The hash is right, and was not made by who has the key.
    Forged,
    /// The head is none, or was not made by who has the key.
    Head,
    /// There is no head.
    HeadMissing,
    /// Records are missing before this one.
    Removed { from: u64, to: u64 },
    /// The line is a record, but not here.
    Reordered,
    /// The line does not continue the one before it, or is not what the head or an anchor says it was.
    Replaced,
    /// Records are missing at the end.
    Truncated { from: u64, to: u64 },
    /// The line has no end.
    Unfinished,
}

impl Fault {
    /// One word for programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Edited => "edited",
            Self::Forged => "forged",
            Self::Head | Self::HeadMissing => "head",
            Self::Removed { .. } => "removed",
            Self::Reordered => "reordered",
            Self::Replaced => "replaced",
            Self::Truncated { .. } => "truncated",
            Self::Unfinished => "unfinished",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anchor => f.write_str("the record of the anchor is older than all that are kept"),
            Self::Edited => f.write_str("edited: this is not the line that its hash was made of"),
            Self::Forged => {
                f.write_str("forged: the hash is right, but was not made with the key of this log")
            }
            Self::Head => f.write_str("this is not a head that was made with the key of this log"),
            Self::HeadMissing => {
                f.write_str("there is no such file: nothing tells whether the end of the log was cut off")
            }
            Self::Removed { from, to } => write!(f, "removed: {} before this line", Records(*from, *to)),
            Self::Reordered => {
                f.write_str("reordered: this record belongs to another place, or is here twice")
            }
            Self::Replaced => f.write_str(
                "replaced: this record does not continue the one before it, or is not the one that was there",
            ),
            Self::Truncated { from, to } => write!(f, "truncated: {} after this line", Records(*from, *to)),
            Self::Unfinished => f.write_str("unfinished: the line has no end"),
        }
    }
}

struct Records(u64, u64);

impl fmt::Display for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (from, to) if from == to => write!(f, "record {from} is missing"),
            (from, to) => write!(f, "records {from} to {to} are missing"),
        }
    }
}
