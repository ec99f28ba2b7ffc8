//! Running a program in a [`World`]: a clean environment, its output, and an end it cannot escape.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::latch::hold;
use crate::world::World;

const LIMIT: Duration = Duration::from_secs(60);

/// A program about to run.
#[derive(Debug)]
pub struct Run {
    command: Command,
    stdin: Vec<u8>,
    limit: Duration,
}

/// What a program left behind.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote to stdout; what is not UTF-8 is replaced.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
    /// Whether it ran into the limit and was killed.
    pub timed_out: bool,
}

impl Run {
    pub(crate) fn new(world: &World, program: &Path) -> Self {
        let mut command = Command::new(program);
        command.env_clear().envs(world.environment()).current_dir(world.project());
        // A group of its own, so that its end is the end of its children.
        command.process_group(0);
        Self { command, stdin: Vec::new(), limit: LIMIT }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in another folder than the project.
    #[must_use]
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What it reads from stdin; nothing unless set.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Kills it after so long, in place of a minute.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts it and leaves it running.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(mut self) -> io::Result<Running> {
        let piped = || Stdio::piped();
        let started = Instant::now();
        let mut child = self.command.stdin(piped()).stdout(piped()).stderr(piped()).spawn()?;
        let group = Pid::from_child(&child);
        if let Some(mut stdin) = child.stdin.take() {
            // On a thread of its own: it may write before it reads. It may also not read at all.
            thread::spawn(move || stdin.write_all(&self.stdin));
        }
        let stdout = Heard::listen(child.stdout.take());
        let stderr = Heard::listen(child.stderr.take());
        let ended = Exit::of(child);
        Ok(Running { group, stdout, stderr, ended, started, limit: self.limit })
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it does not start.
    pub fn finish(self) -> io::Result<Ran> {
        Ok(self.start()?.finish())
    }
}

/// A program that runs. Dropping it kills its group.
#[derive(Debug)]
pub struct Running {
    group: Pid,
    stdout: Heard,
    stderr: Heard,
    ended: Exit,
    started: Instant,
    limit: Duration,
}

impl Running {
    /// Its process id, which is its group's as well.
    pub fn pid(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Sends its group a signal.
    ///
    /// # Errors
    /// When the group is gone.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process_group(self.group, signal)?)
    }

    /// Waits until its stdout holds this; says whether it does, within the limit.
    pub fn says(&self, what: &str) -> bool {
        self.stdout.wait(self.left(), |text| text.contains(what))
    }

    /// Waits until its stderr holds this; says whether it does, within the limit.
    pub fn complains(&self, what: &str) -> bool {
        self.stderr.wait(self.left(), |text| text.contains(what))
    }

    /// Waits for its end, at the limit by killing it.
    pub fn finish(self) -> Ran {
        let status = self.ended.wait(self.left());
        let took = self.started.elapsed();
        // Children that outlived it would hold its pipes open.
        drop(self.signal(Signal::KILL));
        let killed = self.ended.wait(Duration::from_secs(5));
        let (stdout, stderr) = (self.stdout.all(), self.stderr.all());
        Ran {
            code: status.and_then(|status| status.code()),
            signal: killed.and_then(|status| status.signal()),
            stdout,
            stderr,
            took,
            timed_out: status.is_none(),
        }
    }

    fn left(&self) -> Duration {
        self.limit.saturating_sub(self.started.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already, then.
        drop(self.signal(Signal::KILL));
    }
}

/// How a child ended, once it has. A thread waits for it, because the standard library cannot wait
/// with a limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exit(Arc<(Mutex<Option<ExitStatus>>, Condvar)>);

impl Exit {
    pub(crate) fn of(mut child: Child) -> Self {
        let exit = Self::default();
        let told = exit.clone();
        thread::spawn(move || {
            *hold(&told.0.0) = child.wait().ok();
            told.0.1.notify_all();
        });
        exit
    }

    pub(crate) fn wait(&self, limit: Duration) -> Option<ExitStatus> {
        let running = |status: &mut Option<ExitStatus>| status.is_none();
        let (status, _) = self
            .0
            .1
            .wait_timeout_while(hold(&self.0.0), limit, running)
            .unwrap_or_else(PoisonError::into_inner);
        *status
    }
}

/// What came out of a pipe so far.
#[derive(Clone, Debug, Default)]
struct Heard(Arc<(Mutex<Pipe>, Condvar)>);

#[derive(Debug, Default)]
struct Pipe {
    bytes: Vec<u8>,
    closed: bool,
}

impl Heard {
    fn listen(pipe: Option<impl Read + Send + 'static>) -> Self {
        let heard = Self::default();
        let told = heard.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            let mut pipe = pipe;
            while let Some(read) = pipe.as_mut().and_then(|pipe| pipe.read(&mut buffer).ok())
                && read > 0
            {
                hold(&told.0.0).bytes.extend_from_slice(&buffer[..read]);
                told.0.1.notify_all();
            }
            hold(&told.0.0).closed = true;
            told.0.1.notify_all();
        });
        heard
    }

    fn wait(&self, limit: Duration, wanted: impl Fn(&str) -> bool) -> bool {
        let met = |pipe: &Pipe| wanted(&String::from_utf8_lossy(&pipe.bytes));
        let (pipe, _) = self
            .0
            .1
            .wait_timeout_while(hold(&self.0.0), limit, |pipe| !met(pipe) && !pipe.closed)
            .unwrap_or_else(PoisonError::into_inner);
        met(&pipe)
    }

    /// All of it. A child in a session of its own may hold the pipe: that is not waited for.
    fn all(&self) -> String {
        self.wait(Duration::from_secs(1), |_| false);
        String::from_utf8_lossy(&hold(&self.0.0).bytes).into_owned()
    }
}
