//! Downloading the data sets known by name.
//!
//! A file gets its own name only once it is whole, has its published checksum and is safe on disk.
//! Until then it has a temporary name in the same folder, and any failure removes it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use ureq::Agent;

use super::locate::{self, Published, RemoteFile};
use super::progress::Progress;
use crate::error::DataError;
use crate::fingerprint::hex;

/// Bytes moved at a time.
const CHUNK: usize = 64 * 1024;

/// The longest wait for a connection, and for the server to begin its answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest time for one file.
const FILE_PATIENCE: Duration = Duration::from_secs(30 * 60);

/// What [`fetch`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The folder of the data set.
    pub folder: PathBuf,
    /// The files that were downloaded.
    pub downloaded: Vec<&'static str>,
    /// The files that were already there and right.
    pub kept: Vec<&'static str>,
}

/// Downloads the data set called `name` into its folder below `data_dir`, which is made where it is
/// not there.
///
/// Files already there with the right checksum are kept. `base_url` replaces the usual public
/// address.
pub fn fetch(
    name: &str,
    data_dir: &Path,
    base_url: Option<&str>,
    progress: Progress,
) -> Result<Fetched, DataError> {
    let set = locate::named(name)?;
    let folder = set.folder(data_dir);
    match &set.published {
        Published::Idx { url, files } => {
            fetch_files(files, folder, base_url.unwrap_or(url), progress)
        }
        Published::Svhn { url, files } => {
            fetch_files(files, folder, base_url.unwrap_or(url), progress)
        }
        Published::Cifar { url, archive, members } => {
            fetch_archive(archive, members, folder, base_url.unwrap_or(url), progress)
        }
    }
}

fn fetch_files(
    files: &[RemoteFile],
    folder: PathBuf,
    base_url: &str,
    progress: Progress,
) -> Result<Fetched, DataError> {
    fs::create_dir_all(&folder).map_err(|reason| cannot_write(&folder, reason))?;
    let agent = agent();
    let mut fetched = Fetched { folder, downloaded: Vec::new(), kept: Vec::new() };
    for file in files {
        let path = fetched.folder.join(file.name);
        if is_right(&path, file) {
            fetched.kept.push(file.name);
            continue;
        }
        let url = address(base_url, file);
        download(&agent, file, &url, &path, progress)?;
        fetched.downloaded.push(file.name);
    }
    Ok(fetched)
}

/// Downloads the archive and takes those `members` out of it that are not there in their size.
///
/// A member gets its own name once it is whole; the archive is removed when all are there.
fn fetch_archive(
    archive: &RemoteFile,
    members: &[(&'static str, u64)],
    folder: PathBuf,
    base_url: &str,
    progress: Progress,
) -> Result<Fetched, DataError> {
    fs::create_dir_all(&folder).map_err(|reason| cannot_write(&folder, reason))?;
    let there = |&(name, bytes): &(&str, u64)| {
        fs::metadata(folder.join(name)).is_ok_and(|file| file.len() == bytes)
    };
    let (kept, lacking): (Vec<_>, Vec<_>) = members.iter().copied().partition(there);
    let names =
        |members: Vec<(&'static str, u64)>| members.into_iter().map(|(name, _)| name).collect();
    if !lacking.is_empty() {
        let (path, url) = (folder.join(archive.name), address(base_url, archive));
        if !is_right(&path, archive) {
            download(&agent(), archive, &url, &path, progress)?;
        }
        unpack(&path, &url, &folder, &lacking)?;
        fs::remove_file(&path).ok();
    }
    Ok(Fetched { folder, downloaded: names(lacking), kept: names(kept) })
}

/// Takes the `wanted` files out of the archive at `path`, whatever folder they are in there.
fn unpack(
    path: &Path,
    url: &str,
    folder: &Path,
    wanted: &[(&'static str, u64)],
) -> Result<(), DataError> {
    let failed = |reason| DataError::Archive { url: url.to_owned(), reason };
    let file = File::open(path).map_err(failed)?;
    let mut archive = tar::Archive::new(GzDecoder::new(file));
    let mut lacking = wanted.to_vec();
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let inside = entry.path().map_err(failed)?.into_owned();
        let size = entry.size();
        let named = |&(name, bytes): &(&str, u64)| {
            inside.file_name().is_some_and(|file| file == name) && size == bytes
        };
        let Some(at) = lacking.iter().position(named) else { continue };
        let target = folder.join(lacking[at].0);
        let temporary = Temporary::beside(&target);
        let mut output =
            File::create(&temporary.0).map_err(|reason| cannot_write(&temporary.0, reason))?;
        io::copy(&mut entry, &mut output).map_err(failed)?;
        output.sync_all().map_err(|reason| cannot_write(&temporary.0, reason))?;
        drop(output);
        fs::rename(&temporary.0, &target).map_err(|reason| cannot_write(&target, reason))?;
        sync_folder(&target);
        lacking.remove(at);
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let missing: Vec<&str> = lacking.into_iter().map(|(name, _)| name).collect();
    Err(DataError::ArchiveLacks { url: url.to_owned(), missing: missing.join(", ") })
}

/// The address of `file`.
fn address(base_url: &str, file: &RemoteFile) -> String {
    format!("{}/{}", base_url.trim_end_matches('/'), file.name)
}

fn agent() -> Agent {
    Agent::config_builder()
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_recv_body(Some(FILE_PATIENCE))
        .build()
        .into()
}

/// Whether `path` is already the published file.
fn is_right(path: &Path, file: &RemoteFile) -> bool {
    let Ok(mut there) = File::open(path) else {
        return false;
    };
    let mut hash = Sha256::new();
    io::copy(&mut there, &mut hash).is_ok_and(|bytes| bytes == file.bytes)
        && hex(hash) == file.sha256
}

/// Downloads one file to `path`.
fn download(
    agent: &Agent,
    file: &RemoteFile,
    url: &str,
    path: &Path,
    progress: Progress,
) -> Result<(), DataError> {
    let failed = |error: ureq::Error| {
        let reason = match error {
            ureq::Error::StatusCode(code) => format!("the server answered {code}"),
            ureq::Error::Io(reason) => reason.to_string(),
            other => other.to_string(),
        };
        DataError::Download { url: url.to_owned(), reason }
    };
    let body = agent.get(url).call().map_err(failed)?.into_body().into_reader();
    let temporary = Temporary::beside(path);
    let mut output =
        File::create(&temporary.0).map_err(|reason| cannot_write(&temporary.0, reason))?;
    let bar = progress.start(file.name, file.bytes);
    let found = copy(body, &mut output, file, url, |bytes| bar.add(bytes), &temporary.0)?;
    if found != file.sha256 {
        return Err(DataError::Checksum { url: url.to_owned(), wanted: file.sha256, found });
    }
    output.sync_all().map_err(|reason| cannot_write(&temporary.0, reason))?;
    drop(output);
    fs::rename(&temporary.0, path).map_err(|reason| cannot_write(path, reason))?;
    sync_folder(path);
    Ok(())
}

/// Copies exactly the published number of bytes and gives their checksum.
fn copy(
    mut body: impl Read,
    output: &mut File,
    file: &RemoteFile,
    url: &str,
    moved: impl Fn(u64),
    output_path: &Path,
) -> Result<String, DataError> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut found = 0;
    loop {
        let bytes = read_some(&mut body, &mut chunk, url)?;
        if bytes.is_empty() {
            break;
        }
        found += bytes.len() as u64;
        if found > file.bytes {
            return Err(DataError::DownloadLong { url: url.to_owned(), wanted: file.bytes });
        }
        hash.update(bytes);
        output.write_all(bytes).map_err(|reason| cannot_write(output_path, reason))?;
        moved(bytes.len() as u64);
    }
    if found < file.bytes {
        return Err(DataError::DownloadShort { url: url.to_owned(), wanted: file.bytes, found });
    }
    Ok(hex(hash))
}

/// The next bytes of `body`; none at its end, which may come before the length that the server had
/// announced.
fn read_some<'a>(
    body: &mut impl Read,
    chunk: &'a mut [u8],
    url: &str,
) -> Result<&'a [u8], DataError> {
    match body.read(chunk) {
        Ok(count) => Ok(&chunk[..count]),
        Err(error) if ended_early(&error) => Ok(&[]),
        Err(error) => Err(DataError::Download { url: url.to_owned(), reason: error.to_string() }),
    }
}

fn ended_early(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
    )
}

fn cannot_write(path: &Path, reason: io::Error) -> DataError {
    DataError::Write { path: path.to_path_buf(), reason }
}

/// Makes the new name of `path` safe on disk where the system can; the file itself already is.
fn sync_folder(path: &Path) {
    if let Some(Ok(folder)) = path.parent().map(File::open) {
        folder.sync_all().ok();
    }
}

/// A temporary file, removed when dropped unless it has been renamed.
struct Temporary(PathBuf);

impl Temporary {
    /// A name in the folder of `path` which no other running process uses.
    fn beside(path: &Path) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        Self(PathBuf::from(name))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
