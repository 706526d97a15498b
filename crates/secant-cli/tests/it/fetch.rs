//! `secant data fetch` from a server on this machine.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use crate::real_data::real;
use crate::support::{folder, names, output, refusal, secant, text};

/// Serves `site`, the bytes at the end of a path (`None` is an answer 404), until the tests end; its
/// address.
fn serve(site: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away early is no concern of the server.
            let _ = answer(stream, &site);
        }
    });
    format!("http://{address}/files/")
}

fn answer(mut stream: TcpStream, site: impl Fn(&str) -> Option<Vec<u8>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let name = request.split(' ').nth(1).unwrap_or("").trim_start_matches("/files/");
    let (status, body) = match site(name) {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", Vec::new()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&body)
}

fn fetch(folder: &tempfile::TempDir, url: &str) -> assert_cmd::Command {
    secant(&["data", "fetch", "mnist", "--base-url", url, "--data-dir", text(folder.path())])
}

#[test]
#[ignore = "needs mnist in SECANT_DATA"]
fn a_data_set_is_downloaded_once_and_then_kept() {
    let published = real("mnist");
    let folder = folder();
    let url = serve(move |name| fs::read(published.join(name)).ok());
    let said = output(&mut fetch(&folder, &url));
    assert!(said.ends_with("/mnist: 4 files downloaded, 0 were there and right\n"), "{said}");
    let files = [
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ];
    assert_eq!(names(&folder.path().join("mnist")), files);
    // Nobody answers at port 1; nobody is asked.
    let said = output(&mut fetch(&folder, "http://127.0.0.1:1"));
    assert!(said.ends_with("/mnist: 0 files downloaded, 4 were there and right\n"), "{said}");
}

#[test]
fn a_damaged_file_is_refused_with_both_checksums_and_not_kept() {
    let folder = folder();
    // As long as the published file, but empty paper.
    let url = serve(|_| Some(vec![0; 9_912_422]));
    let output = fetch(&folder, &url).assert().code(1).get_output().clone();
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).expect("UTF-8").replace(&url, "[URL]/");
    insta::assert_snapshot!(said, @r"
    downloading train-images-idx3-ubyte.gz (9912422 bytes)
    secant: [URL]/train-images-idx3-ubyte.gz has the SHA-256 5cf9227f08bae536a8329ebafff1399a8618e768846c5590bb2098ff1c7005b4 instead of 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609, so it was not kept; try again, or give another address with the same files
    ");
    assert!(names(&folder.path().join("mnist")).is_empty());
}

#[test]
fn a_server_without_the_file_is_told_with_its_answer() {
    let folder = folder();
    let url = serve(|_| None);
    let said = refusal(&mut fetch(&folder, &url), 1, &folder).replace(&url, "[URL]/");
    insta::assert_snapshot!(said, @"secant: cannot download [URL]/train-images-idx3-ubyte.gz: the server answered 404; check the network, or give another address with the same files");
    assert!(names(&folder.path().join("mnist")).is_empty());
}

#[test]
fn a_server_that_cannot_be_reached_is_told() {
    let folder = folder();
    let said = refusal(&mut fetch(&folder, "http://127.0.0.1:1"), 1, &folder);
    insta::assert_snapshot!(said, @"secant: cannot download http://127.0.0.1:1/train-images-idx3-ubyte.gz: Connection refused (os error 111); check the network, or give another address with the same files");
}

#[test]
fn an_unknown_data_set_is_a_mistake_in_usage() {
    let folder = folder();
    let said = refusal(&mut secant(&["data", "fetch", "mnits"]), 2, &folder);
    insta::assert_snapshot!(said, @"error: invalid value 'mnits' for '<NAME>': there is no data set named 'mnits'; the names are mnist, fashion-mnist, cifar-10, svhn");
}
