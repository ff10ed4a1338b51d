//! ZIP: what an archive says of its members is checked before any of them is opened, and held against what comes out.

mod directory;
mod member;
mod name;
mod pack;

use engine::error::ErrorInfo;

pub(super) use self::directory::Archive;
pub(super) use self::member::Unpacked;
pub(super) use self::name::fault;
pub(super) use self::pack::Packer;

/// What of an archive is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::file) struct Bounds {
    /// Members.
    pub(super) members: u64,
    /// Bytes of all of them, unpacked.
    pub(super) bytes: u64,
    /// How often a member may be larger than what it is packed into.
    pub(super) ratio: u64,
}

/// What is taken when a config does not say.
pub(in crate::file) const USUAL: Bounds = Bounds { members: 1_000, bytes: 1024 * 1024 * 1024, ratio: 200 };
/// The most that a config can ask for. Nothing is packed tighter than 1 : 1,032 by the method that is read.
pub(in crate::file) const MOST: Bounds = Bounds { members: 10_000, bytes: 10 * 1024 * 1024 * 1024, ratio: 1_100 };
/// Bytes of a member up to which it does not matter how tight it is packed.
const SMALL: u64 = 1024 * 1024;

const LOCAL: u32 = 0x0403_4B50;
const CENTRAL: u32 = 0x0201_4B50;
const END: u32 = 0x0605_4B50;
const END_64: u32 = 0x0606_4B50;
const END_64_LOCATOR: u32 = 0x0706_4B50;
const DESCRIPTOR: u32 = 0x0807_4B50;
/// In place of what stands in the 64-bit fields.
const IN_64: u32 = u32::MAX;
const EXTRA_64: u16 = 1;

fn invalid(why: impl std::fmt::Display) -> ErrorInfo {
    ErrorInfo::permanent("ZIP_INVALID", format!("the archive cannot be read: {why}"))
}
