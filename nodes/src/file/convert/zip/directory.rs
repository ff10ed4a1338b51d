//! The directory at the end of an archive, and what it must be true of.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};

use engine::error::ErrorInfo;

use super::{Bounds, CENTRAL, END, END_64, END_64_LOCATOR, EXTRA_64, IN_64, LOCAL, SMALL, invalid, name};

/// Bytes of the record at the end, without its comment.
const END_LEN: u64 = 22;
/// Longest comment.
const LONGEST_COMMENT: u64 = 65_535;
/// Bytes of the directory for each member that is allowed.
const ENTRY: u64 = 4 * 1024;
/// Shortest entry of the directory, in bytes.
const SHORTEST_ENTRY: u64 = 46;

/// A member as the directory describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::file::convert) struct Member {
    /// Its path, which leads nowhere else.
    pub(in crate::file::convert) path: String,
    /// Bytes, unpacked.
    pub(in crate::file::convert) size: u64,
    pub(super) packed: u64,
    pub(super) crc: u32,
    pub(super) is_deflated: bool,
    pub(super) data_at: u64,
    header_at: u64,
    raw_name: Vec<u8>,
}

impl Member {
    /// Whether it is a folder, of which nothing is unpacked.
    pub(in crate::file::convert) fn is_folder(&self) -> bool {
        self.path.ends_with('/')
    }
}

/// An archive whose directory was checked.
#[derive(Debug)]
pub(in crate::file::convert) struct Archive<R> {
    pub(super) file: R,
    /// Its members, in the order of the directory.
    pub(in crate::file::convert) members: Vec<Member>,
}

/// Where the directory stands.
struct Directory {
    at: u64,
    len: u64,
    count: u64,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads and checks the directory; opens no member.
    pub(in crate::file::convert) fn open(mut file: R, bounds: &Bounds) -> Result<Self, ErrorInfo> {
        let directory = find(&mut file)?;
        if directory.count > bounds.members {
            let message = format!(
                "the archive has {} members; {} are allowed. Set config.zip.max_members, up to {}",
                directory.count,
                bounds.members,
                super::MOST.members
            );
            return Err(ErrorInfo::permanent("ZIP_TOO_LARGE", message));
        }
        if directory.len < directory.count.saturating_mul(SHORTEST_ENTRY)
            || directory.len > (directory.count + 1) * ENTRY
        {
            return Err(invalid(format!(
                "its directory says that it has {} members in {} bytes",
                directory.count, directory.len
            )));
        }
        let mut bytes = vec![0; usize::try_from(directory.len).map_err(invalid)?];
        at(&mut file, directory.at, &mut bytes)?;
        let mut rest = Fields(&bytes);
        let mut members = Vec::new();
        for _ in 0..directory.count {
            members.push(member(&mut rest).ok_or_else(|| invalid("its directory is cut off"))??);
        }
        if !rest.0.is_empty() {
            return Err(invalid("its directory has more than it says"));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = members.iter().find(|member| !names.insert(&member.path)) {
            return Err(invalid(format!("it has two members called {:?}", twice.path)));
        }
        sizes(&members, bounds)?;
        places(&mut file, &mut members, directory.at)?;
        Ok(Self { file, members })
    }
}

fn unread(error: io::Error) -> ErrorInfo {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => invalid("it ends where more should come"),
        _ => super::super::bound::unread(&error),
    }
}

/// The bytes at a place.
fn at(file: &mut (impl Read + Seek), place: u64, bytes: &mut [u8]) -> Result<(), ErrorInfo> {
    file.seek(SeekFrom::Start(place)).map_err(unread)?;
    file.read_exact(bytes).map_err(unread)
}

/// Numbers as they stand one after another, the lowest byte first.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, count: usize) -> Option<u64> {
        Some(self.bytes(count)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn u16(&mut self) -> Option<u16> {
        u16::try_from(self.number(2)?).ok()
    }

    fn u32(&mut self) -> Option<u32> {
        u32::try_from(self.number(4)?).ok()
    }

    fn u64(&mut self) -> Option<u64> {
        self.number(8)
    }
}

/// Finds the directory. It must end where the record about it begins, and that record at the end of the file.
fn find(file: &mut (impl Read + Seek)) -> Result<Directory, ErrorInfo> {
    let len = file.seek(SeekFrom::End(0)).map_err(unread)?;
    let tail = len.min(END_LEN + LONGEST_COMMENT);
    let mut bytes = vec![0; usize::try_from(tail).map_err(invalid)?];
    at(file, len - tail, &mut bytes)?;
    let none = || invalid("it is no ZIP, or its end is missing");
    let (from, [disk, start_disk, here, count, size, offset]) = (0..bytes.len())
        .rev()
        .find_map(|from| {
            let mut fields = Fields(bytes.get(from..)?);
            if fields.u32()? != END {
                return None;
            }
            let numbers = [
                fields.number(2)?,
                fields.number(2)?,
                fields.number(2)?,
                fields.number(2)?,
                fields.number(4)?,
                fields.number(4)?,
            ];
            let comment = fields.number(2)?;
            (fields.0.len() as u64 == comment).then_some((from, numbers))
        })
        .ok_or_else(none)?;
    let end_at = len - tail + from as u64;
    let many = |disk, start_disk, here, count| disk != 0 || start_disk != 0 || here != count;
    let in_64 = u64::from(IN_64);
    let (directory, ends_at) = if count == 0xFFFF || size == in_64 || offset == in_64 {
        find_64(file, end_at)?.ok_or_else(none)?
    } else if many(disk, start_disk, here, count) {
        return Err(invalid("it is one of several parts"));
    } else {
        (Directory { at: offset, len: size, count }, end_at)
    };
    if directory.at.checked_add(directory.len) != Some(ends_at) {
        return Err(invalid("its directory does not stand where it says"));
    }
    Ok(directory)
}

/// The same where the numbers are too large for the record at the end; and where the record about it begins.
fn find_64(file: &mut (impl Read + Seek), end_at: u64) -> Result<Option<(Directory, u64)>, ErrorInfo> {
    let Some(locator_at) = end_at.checked_sub(20) else { return Ok(None) };
    let mut bytes = [0; 20];
    at(file, locator_at, &mut bytes)?;
    let read = |bytes: &[u8]| {
        let mut fields = Fields(bytes);
        let is_one = fields.u32()? == END_64_LOCATOR && fields.u32()? == 0;
        let place = fields.u64()?;
        (is_one && fields.u32()? <= 1).then_some(place)
    };
    let Some(place) = read(&bytes).filter(|place| place.checked_add(56).is_some_and(|end| end <= locator_at)) else {
        return Ok(None);
    };
    let mut bytes = [0; 56];
    at(file, place, &mut bytes)?;
    let read = || {
        let mut fields = Fields(&bytes);
        let is_one = fields.u32()? == END_64;
        fields.bytes(12)?;
        let is_whole = fields.u64()? == 0;
        let (here, count) = (fields.u64()?, fields.u64()?);
        let (len, at) = (fields.u64()?, fields.u64()?);
        (is_one && is_whole && here == count).then_some(Directory { at, len, count })
    };
    Ok(read().map(|directory| (directory, place)))
}

/// One entry of the directory; `None` when it is cut off.
fn member(fields: &mut Fields<'_>) -> Option<Result<Member, ErrorInfo>> {
    let is_one = fields.u32()? == CENTRAL;
    let (made_by, _needs, flags, method) = (fields.u16()?, fields.u16()?, fields.u16()?, fields.u16()?);
    fields.bytes(4)?;
    let crc = fields.u32()?;
    let (packed, size) = (fields.u32()?, fields.u32()?);
    let (name_len, extra_len, comment_len) = (fields.u16()?, fields.u16()?, fields.u16()?);
    let (disk, _inner, outer) = (fields.u16()?, fields.u16()?, fields.u32()?);
    let header_at = fields.u32()?;
    let raw_name = fields.bytes(usize::from(name_len))?.to_vec();
    let extra = fields.bytes(usize::from(extra_len))?;
    fields.bytes(usize::from(comment_len))?;
    if !is_one || disk != 0 {
        return Some(Err(invalid("its directory has an entry that is none")));
    }
    let path = name::text(&raw_name);
    let [size, packed, header_at] = match wide(extra, [size, packed, header_at]) {
        Some(numbers) => numbers,
        None => return Some(Err(invalid(format!("the sizes of the member {path:?} are missing")))),
    };
    let kind = Kind { made_by, flags, method, outer };
    let is_deflated = match kind.check(&path, size, packed) {
        Ok(is_deflated) => is_deflated,
        Err(error) => return Some(Err(error)),
    };
    Some(Ok(Member { path, size, packed, crc, is_deflated, data_at: 0, header_at, raw_name }))
}

/// Numbers that stand in the extra field where they do not fit; `None` when they do not.
fn wide(extra: &[u8], numbers: [u32; 3]) -> Option<[u64; 3]> {
    let mut extra = Fields(extra);
    let mut large = Fields(&[]);
    while let (Some(id), Some(len)) = (extra.u16(), extra.u16()) {
        let Some(bytes) = extra.bytes(usize::from(len)) else { break };
        if id == EXTRA_64 {
            large = Fields(bytes);
        }
    }
    let mut full = [0; 3];
    for (full, number) in full.iter_mut().zip(numbers) {
        *full = if number == IN_64 { large.u64()? } else { u64::from(number) };
    }
    Some(full)
}

/// What an entry says that a member is.
struct Kind {
    made_by: u16,
    flags: u16,
    method: u16,
    outer: u32,
}

impl Kind {
    /// Whether it is deflated, where it is something that is read at all.
    fn check(&self, path: &str, size: u64, packed: u64) -> Result<bool, ErrorInfo> {
        name::check(path)?;
        let refused = |code: &str, why: &str| Err(ErrorInfo::permanent(code, format!("the member {path:?} {why}")));
        // The upper half are Unix's modes, whoever made it; of the lower half, the tenth bit is a link on Windows.
        let mode = self.outer >> 16 & 0o170_000;
        let is_folder = path.ends_with('/');
        if !matches!(mode, 0 | 0o100_000 | 0o040_000) || self.outer & 0x400 != 0 && self.made_by >> 8 != 3 {
            let what = if mode == 0o120_000 { "is a link" } else { "is neither a file nor a folder" };
            return refused("ZIP_UNSAFE_MEMBER", &format!("{what}. Nothing of the archive was unpacked"));
        }
        if mode == 0o040_000 && !is_folder || is_folder && size != 0 {
            return refused("ZIP_INVALID", "is a folder with bytes");
        }
        if self.flags & 0x2041 != 0 {
            return refused("ZIP_ENCRYPTED", "is encrypted. Let the archive be made without a password");
        }
        match self.method {
            0 if size == packed => Ok(false),
            0 => refused("ZIP_INVALID", "is not packed, and yet of two sizes"),
            8 => Ok(true),
            other => refused(
                "ZIP_METHOD_UNSUPPORTED",
                &format!("is packed by method {other}; only `deflate` is read. Let the archive be made with that"),
            ),
        }
    }
}

/// Refuses what would become too large, by what it says of itself.
fn sizes(members: &[Member], bounds: &Bounds) -> Result<(), ErrorInfo> {
    let total = members.iter().fold(0_u64, |total, member| total.saturating_add(member.size));
    if total > bounds.bytes {
        let message = format!(
            "the archive unpacks to {total} bytes; {} are allowed. Set config.zip.max_bytes, up to {}, if you trust it",
            bounds.bytes,
            super::MOST.bytes
        );
        return Err(ErrorInfo::permanent("ZIP_TOO_LARGE", message));
    }
    let bomb = members
        .iter()
        .find(|member| member.size > SMALL && member.size > member.packed.max(1).saturating_mul(bounds.ratio));
    let Some(bomb) = bomb else { return Ok(()) };
    let message = format!(
        "the member {:?} unpacks {} bytes to {}, which is more than {} times; bombs are made so. Set config.zip.max_ratio, up \
         to {}, if you trust it",
        bomb.path,
        bomb.packed,
        bomb.size,
        bounds.ratio,
        super::MOST.ratio
    );
    Err(ErrorInfo::permanent("ZIP_TOO_LARGE", message))
}

/// Finds where the bytes of members stand. No two may share any, and all stand before the directory.
fn places(file: &mut (impl Read + Seek), members: &mut [Member], directory_at: u64) -> Result<(), ErrorInfo> {
    let mut ranges = Vec::new();
    for member in members.iter_mut() {
        let mut header = [0; 30];
        at(file, member.header_at, &mut header)?;
        let mut fields = Fields(&header);
        let lens = (|| {
            let is_one = fields.u32()? == LOCAL;
            fields.bytes(22)?;
            let lens = (fields.u16()?, fields.u16()?);
            is_one.then_some(lens)
        })();
        let (name_len, extra_len) =
            lens.ok_or_else(|| invalid(format!("the member {:?} does not stand where it should", member.path)))?;
        let mut local_name = vec![0; usize::from(name_len)];
        file.read_exact(&mut local_name).map_err(unread)?;
        if local_name != member.raw_name {
            return Err(invalid(format!("the member {:?} has another name where it stands", member.path)));
        }
        member.data_at = member.header_at + 30 + u64::from(name_len) + u64::from(extra_len);
        ranges.push((member.header_at, member.data_at.saturating_add(member.packed)));
    }
    ranges.sort_unstable();
    let shared = ranges.windows(2).any(|two| matches!(two, [(_, end), (start, _)] if end > start));
    if shared || ranges.last().is_some_and(|(_, end)| *end > directory_at) {
        let message =
            "members of the archive share bytes, by which a small one unpacks to very much; it was not unpacked";
        return Err(ErrorInfo::permanent("ZIP_OVERLAP", message));
    }
    Ok(())
}
