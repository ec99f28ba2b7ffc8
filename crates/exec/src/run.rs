//! One program from start to end: what is asked, what comes back, and the waiting in between.

use std::ffi::OsString;
use std::future::pending;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::capture::{Bounds, Capture, Captured, Spill};
use crate::group::Group;

/// Between the request to end and the order, at the deadline.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long output is still read after the program has ended, while somebody else holds the pipe:
/// this long in all, and no longer than `QUIET` without a byte.
const GRACE: Duration = Duration::from_millis(200);
const QUIET: Duration = Duration::from_millis(50);
/// How long a killed program may take to be dead. Only one stuck in the kernel takes longer.
const DEATH: Duration = Duration::from_secs(1);
/// How often we look whether anybody is left: at the deadline, and of what was left running.
const GLANCE: Duration = Duration::from_millis(20);
const WATCH: Duration = Duration::from_secs(1);

/// What to run. Standard input is empty.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The program and its arguments. A name without a slash is looked up in `env`'s `PATH`.
    pub argv: Vec<OsString>,
    /// The directory to start in.
    pub cwd: PathBuf,
    /// The whole environment; nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// When the program is asked to end, and soon after made to.
    pub deadline: Duration,
    /// How much of its output is kept.
    pub bounds: Bounds,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal, which was not ours.
    Signalled(i32),
    /// By us, at the deadline.
    Deadline,
}

/// A program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub end: End,
    /// What it said until then.
    pub output: Captured,
    /// How long it took.
    pub elapsed: Duration,
    /// It left processes running. They live on, and what they write is read and goes to the spill
    /// file as far as its cap. They are killed when the runtime that ran `run` is shut down.
    pub children_left: bool,
}

/// Why a program was never started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Start it somewhere else: `living` knows where.
    #[error("the directory {} does not exist", .0.display())]
    NoDirectory(PathBuf),
    /// Name another program.
    #[error("there is no program {}", .0.display())]
    NoProgram(PathBuf),
    /// Anything else the system says.
    #[error("cannot start {}: {why}", .program.display())]
    System {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        why: io::Error,
    },
}

/// The nearest folder at or above `path` that exists.
pub fn living(path: &Path) -> &Path {
    path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"))
}

/// Runs a program to its end and returns what it said; `on_output` is shown each piece as it comes.
///
/// It returns when the program itself ends, even if a child in the background holds the pipe.
/// Dropping the future kills the program and everything it started, at once. At the deadline they
/// are sent TERM, and KILL two seconds later.
pub async fn run(spec: Spec, on_output: impl FnMut(&[u8])) -> Result<Finished, StartError> {
    let began = Instant::now();
    let (mut group, pipe) = start(&spec)?;
    let mut intake = Intake::new(pipe, Capture::new(spec.bounds), on_output);
    let end = attend(&mut group, &mut intake, spec.deadline).await;
    intake.drain().await;
    let children_left = intake.pipe.is_some() || settled(&mut group).await;
    let Intake { pipe, mut capture, .. } = intake;
    if children_left {
        capture.keep_whole();
    }
    let (output, spill) = capture.finish();
    if children_left {
        tokio::spawn(watch(group, pipe, spill));
    }
    Ok(Finished { end, output, elapsed: began.elapsed(), children_left })
}

/// One pipe for both outputs keeps the order in which they were written.
fn start(spec: &Spec) -> Result<(Group, Receiver), StartError> {
    let program = PathBuf::from(spec.argv.first().cloned().unwrap_or_default());
    let started = io::pipe().and_then(|(reader, writer)| {
        let mut command = Command::new(&program);
        command.args(spec.argv.iter().skip(1)).current_dir(&spec.cwd);
        command.env_clear().envs(spec.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        Ok((Group::start(command)?, Receiver::from_owned_fd(reader.into())?))
    });
    started.map_err(|why| {
        if !spec.cwd.is_dir() {
            return StartError::NoDirectory(spec.cwd.clone());
        }
        if why.kind() == io::ErrorKind::NotFound {
            return StartError::NoProgram(program);
        }
        StartError::System { program, why }
    })
}

/// Waits for the end, or brings it about at the deadline.
async fn attend<F: FnMut(&[u8])>(
    group: &mut Group,
    intake: &mut Intake<F>,
    deadline: Duration,
) -> End {
    let mut deadline = std::pin::pin!(sleep(deadline));
    loop {
        tokio::select! {
            biased;
            status = group.ended() => return status.map_or(End::Signalled(0), end_of),
            () = &mut deadline => break,
            () = intake.take() => (),
        }
    }
    stop(group, intake).await;
    End::Deadline
}

fn end_of(status: ExitStatus) -> End {
    match status.code() {
        Some(code) => End::Exited(code),
        None => End::Signalled(status.signal().unwrap_or_default()),
    }
}

/// Asks everybody to end, still listening; whoever is left after that is killed.
async fn stop<F: FnMut(&[u8])>(group: &mut Group, intake: &mut Intake<F>) {
    group.signal(Signal::TERM);
    let asked = Instant::now();
    while group.inhabited() && asked.elapsed() < PATIENCE {
        let _ = timeout(GLANCE, intake.take_all()).await;
    }
    group.signal(Signal::KILL);
    if group.status().is_none() {
        let _ = timeout(DEATH, group.ended()).await;
    }
}

/// Is anybody left who will stay? Those who have closed the pipe may still be on their way out.
async fn settled(group: &mut Group) -> bool {
    let ended = Instant::now();
    while group.inhabited() {
        if ended.elapsed() > QUIET {
            return true;
        }
        sleep(GLANCE).await;
    }
    false
}

/// Reads what is left running until it is gone: closing the pipe would kill a server at its next
/// line of log. Being dropped with the runtime, it ends them.
async fn watch(mut group: Group, pipe: Option<Receiver>, mut spill: Spill) {
    let mut buffer = vec![0; 8 << 10];
    let mut pipe = pipe;
    while pipe.is_some() || group.inhabited() {
        let read = async {
            match &mut pipe {
                Some(pipe) => pipe.read(&mut buffer).await.unwrap_or(0),
                None => pending().await,
            }
        };
        match timeout(WATCH, read).await {
            Ok(0) => pipe = None,
            Ok(count) => spill.write(&buffer[..count]),
            Err(_) => (),
        }
    }
}

/// The reading end: takes output in and shows it around.
struct Intake<F> {
    pipe: Option<Receiver>,
    buffer: Vec<u8>,
    capture: Capture,
    on_output: F,
}

impl<F: FnMut(&[u8])> Intake<F> {
    fn new(pipe: Receiver, capture: Capture, on_output: F) -> Self {
        Intake { pipe: Some(pipe), buffer: vec![0; 64 << 10], capture, on_output }
    }

    /// Takes in one piece; waits for ever once the pipe has ended. Loses nothing when dropped.
    async fn take(&mut self) {
        let Some(pipe) = &mut self.pipe else { return pending().await };
        match pipe.read(&mut self.buffer).await {
            Ok(0) | Err(_) => self.pipe = None,
            Ok(count) => {
                let piece = &self.buffer[..count];
                self.capture.take(piece);
                (self.on_output)(piece);
            }
        }
    }

    /// Takes in whatever comes, until dropped.
    async fn take_all(&mut self) {
        loop {
            self.take().await;
        }
    }

    /// Takes in what is still on its way after the end.
    async fn drain(&mut self) {
        let ended = Instant::now();
        while self.pipe.is_some() && ended.elapsed() < GRACE {
            if timeout(QUIET, self.take()).await.is_err() {
                return;
            }
        }
    }
}
