//! Tests of downloading, against a server on this machine.

use super::*;
use crate::testing::{folder, gzip};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use tempfile::TempDir;

const FIRST: RemoteFile = RemoteFile {
    name: "first.gz",
    bytes: 5,
    // Of the text "hello".
    sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
};

const SECOND: RemoteFile = RemoteFile {
    name: "second.gz",
    bytes: 3,
    // Of the text "abc".
    sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
};

/// A server that answers each path with fixed bytes and tells the paths it was asked for.
struct Server {
    url: String,
    asked: Receiver<String>,
}

impl Server {
    fn start(answers: &[(&str, &str)]) -> Self {
        let bytes: Vec<_> =
            answers.iter().map(|&(path, answer)| (path, answer.as_bytes())).collect();
        Self::start_with_bytes(&bytes)
    }

    fn start_with_bytes(answers: &[(&str, &[u8])]) -> Self {
        let answers: HashMap<String, Vec<u8>> =
            answers.iter().map(|&(path, answer)| (path.to_owned(), answer.into())).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/data", listener.local_addr().unwrap());
        let (sender, asked) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let path = requested_path(&stream);
                let missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into();
                let answer = answers.get(&path).unwrap_or(&missing);
                stream.write_all(answer).unwrap();
                if sender.send(path).is_err() {
                    break;
                }
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

fn requested_path(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let request = lines.next().unwrap();
    lines.find(|line| line.is_empty());
    request.split(' ').nth(1).unwrap().to_owned()
}

fn ok(body: &str, announced: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {announced}\r\n\r\n{body}")
}

/// Fetches both files, the first of which gets the answer `first`.
fn fetch_with(first: &str, folder: &TempDir) -> (Result<Fetched, DataError>, Server) {
    let server = Server::start(&[("/data/first.gz", first), ("/data/second.gz", &ok("abc", 3))]);
    let target = folder.path().join("set");
    let fetched = fetch_files(&[FIRST, SECOND], target, &server.url, Progress::Hidden);
    (fetched, server)
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path().join("set")).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The message of a failed fetch, after which nothing may be left behind.
fn message(first: &str) -> String {
    let folder = folder();
    let message = fetch_with(first, &folder).0.unwrap_err().to_string();
    assert_eq!(names(&folder), Vec::<String>::new());
    assert!(message.contains("/data/first.gz"), "{message}");
    message
}

#[test]
fn all_files_are_downloaded_into_the_folder() {
    let folder = folder();
    let (fetched, _server) = fetch_with(&ok("hello", 5), &folder);
    let fetched = fetched.unwrap();
    assert_eq!(fetched.downloaded, ["first.gz", "second.gz"]);
    assert_eq!(names(&folder), ["first.gz", "second.gz"]);
    assert_eq!(fs::read(fetched.folder.join("first.gz")).unwrap(), b"hello");
}

#[test]
fn a_right_file_is_kept_and_not_asked_for() {
    let folder = folder();
    fs::create_dir(folder.path().join("set")).unwrap();
    fs::write(folder.path().join("set/first.gz"), "hello").unwrap();
    let (fetched, server) = fetch_with(&ok("WRONG", 5), &folder);
    assert_eq!(fetched.unwrap().kept, ["first.gz"]);
    assert_eq!(server.asked(), ["/data/second.gz"]);
}

#[test]
fn a_wrong_file_is_replaced() {
    let folder = folder();
    fs::create_dir(folder.path().join("set")).unwrap();
    fs::write(folder.path().join("set/first.gz"), "hallo").unwrap();
    let (fetched, _server) = fetch_with(&ok("hello", 5), &folder);
    assert_eq!(fetched.unwrap().downloaded, ["first.gz", "second.gz"]);
    assert_eq!(fs::read(folder.path().join("set/first.gz")).unwrap(), b"hello");
}

#[test]
fn a_failed_download_leaves_the_old_file_as_it_was() {
    let folder = folder();
    fs::create_dir(folder.path().join("set")).unwrap();
    fs::write(folder.path().join("set/first.gz"), "hallo").unwrap();
    let (fetched, _server) = fetch_with(&ok("hel", 5), &folder);
    assert!(fetched.is_err());
    assert_eq!(names(&folder), ["first.gz"]);
    assert_eq!(fs::read(folder.path().join("set/first.gz")).unwrap(), b"hallo");
}

#[test]
fn a_corrupted_body_is_refused_with_both_checksums() {
    let message = message(&ok("hellO", 5));
    assert!(message.contains(FIRST.sha256) && message.contains("so it was not kept"), "{message}");
}

#[test]
fn a_missing_file_is_told_with_its_status() {
    let message =
        message("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert!(message.starts_with("cannot download http://127.0.0.1:"), "{message}");
    assert!(message.contains("404"), "{message}");
}

#[test]
fn a_body_shorter_than_announced_is_told_with_both_sizes() {
    let message = message(&ok("hel", 5));
    assert!(message.contains("ended after 3 of 5 bytes"), "{message}");
}

#[test]
fn a_body_announced_too_short_is_told_with_both_sizes() {
    let message = message(&ok("he", 2));
    assert!(message.contains("ended after 2 of 5 bytes"), "{message}");
}

#[test]
fn a_body_that_goes_on_is_refused() {
    let message = message(&ok("hello world", 11));
    assert!(message.contains("is longer than the 5 bytes expected"), "{message}");
}

#[test]
fn a_server_that_does_not_answer_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let folder = folder();
    let error = fetch("mnist", folder.path(), Some(&url), Progress::Hidden).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("/train-images-idx3-ubyte.gz") && message.contains("check the network"),
        "{message}"
    );
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = folder();
    let blocked = folder.path().join("file");
    fs::write(&blocked, "").unwrap();
    let message = fetch("mnist", &blocked, None, Progress::Hidden).unwrap_err().to_string();
    assert!(message.starts_with("cannot write ") && message.contains("file/mnist"), "{message}");
}

#[test]
fn an_unknown_name_is_refused() {
    let error = fetch("cifar", Path::new("nowhere"), None, Progress::Hidden).unwrap_err();
    assert!(matches!(error, DataError::UnknownName { .. }));
}

#[test]
fn a_download_that_is_shown_gives_the_same_files() {
    let folder = folder();
    let server = Server::start(&[("/data/first.gz", &ok("hello", 5))]);
    let fetched = fetch_files(&[FIRST], folder.path().join("set"), &server.url, Progress::Shown);
    assert_eq!(fetched.unwrap().downloaded, ["first.gz"]);
    assert_eq!(names(&folder), ["first.gz"]);
}

/// The archive of a folder with these files, and how it is published.
fn archive(files: &[(&str, &[u8])]) -> (Vec<u8>, RemoteFile) {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, contents) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("inner/{name}"), *contents).unwrap();
    }
    let packed = gzip(&builder.into_inner().unwrap());
    let mut hash = Sha256::new();
    hash.update(&packed);
    let sha256 = hex(hash).leak();
    let published = RemoteFile { name: "all.tar.gz", bytes: packed.len() as u64, sha256 };
    (packed, published)
}

const MEMBERS: [(&str, u64); 2] = [("one.bin", 3), ("two.bin", 4)];

/// Fetches the archive of `files` into the folder `set`.
fn fetch_archive_of(
    files: &[(&str, &[u8])],
    folder: &TempDir,
) -> (Result<Fetched, DataError>, Server) {
    let (packed, published) = archive(files);
    let head = ok("", packed.len());
    let server =
        Server::start_with_bytes(&[("/data/all.tar.gz", &[head.as_bytes(), &packed].concat())]);
    let target = folder.path().join("set");
    (fetch_archive(&published, &MEMBERS, target, &server.url, Progress::Hidden), server)
}

const WHOLE: [(&str, &[u8]); 3] = [("one.bin", b"abc"), ("readme", b"x"), ("two.bin", b"defg")];

#[test]
fn an_archive_is_downloaded_unpacked_and_removed() {
    let folder = folder();
    let fetched = fetch_archive_of(&WHOLE, &folder).0.unwrap();
    assert_eq!(fetched.downloaded, ["one.bin", "two.bin"]);
    assert_eq!(names(&folder), ["one.bin", "two.bin"]);
    assert_eq!(fs::read(folder.path().join("set/two.bin")).unwrap(), b"defg");
}

#[test]
fn an_archive_is_not_asked_for_where_all_its_files_are_there() {
    let folder = folder();
    fetch_archive_of(&WHOLE, &folder).0.unwrap();
    let (fetched, server) = fetch_archive_of(&WHOLE, &folder);
    assert_eq!(fetched.unwrap().kept, ["one.bin", "two.bin"]);
    assert_eq!(server.asked(), Vec::<String>::new());
    fs::write(folder.path().join("set/one.bin"), "a").unwrap();
    assert_eq!(fetch_archive_of(&WHOLE, &folder).0.unwrap().downloaded, ["one.bin"]);
    assert_eq!(fs::read(folder.path().join("set/one.bin")).unwrap(), b"abc");
}

#[test]
fn an_archive_that_lacks_a_file_or_holds_one_of_another_size_is_refused() {
    let folder = folder();
    let lacking = fetch_archive_of(&WHOLE[..2], &folder).0.unwrap_err().to_string();
    assert!(lacking.contains("/data/all.tar.gz lacks two.bin"), "{lacking}");
    let wrong: [(&str, &[u8]); 2] = [("one.bin", b"abc"), ("two.bin", b"too long")];
    let wrong = fetch_archive_of(&wrong, &folder).0.unwrap_err().to_string();
    assert!(wrong.contains("lacks two.bin"), "{wrong}");
    assert!(!folder.path().join("set/two.bin").exists());
}

#[test]
fn an_archive_with_another_checksum_is_refused_before_it_is_unpacked() {
    let folder = folder();
    let (packed, mut published) = archive(&WHOLE);
    published.sha256 = FIRST.sha256;
    let head = ok("", packed.len());
    let server =
        Server::start_with_bytes(&[("/data/all.tar.gz", &[head.as_bytes(), &packed].concat())]);
    let target = folder.path().join("set");
    let fetched = fetch_archive(&published, &MEMBERS, target, &server.url, Progress::Hidden);
    assert!(matches!(fetched, Err(DataError::Checksum { .. })));
    assert_eq!(names(&folder), Vec::<String>::new());
}
