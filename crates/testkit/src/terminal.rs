//! A program in a terminal: a pseudoterminal with a screen that can be read.
//!
//! A controlling terminal is taken in the child, between fork and exec, which needs unsafe code in
//! this process. So the program is started through `setsid --ctty` of util-linux, which does just
//! that and then becomes the program, under the same process id. This needs Linux.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::latch::hold;
use crate::run::Exit;
use crate::world::World;

/// Lines above the screen that are kept.
const SCROLLBACK: usize = 10_000;

/// A size of a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { rows: 24, columns: 80 }
    }
}

/// A program in a terminal. Dropping it hangs up and kills the program.
pub struct Terminal {
    keys: OwnedFd,
    shown: Arc<Shown>,
    group: Pid,
    ended: Exit,
    limit: Duration,
}

/// What the program has written, as a screen and as it came.
struct Shown {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser,
    raw: Vec<u8>,
    closed: bool,
}

impl Terminal {
    /// Starts a program in a world, in a terminal of this size.
    ///
    /// # Errors
    /// When there is no terminal to be had or the program does not start.
    pub fn start(
        world: &World,
        program: impl AsRef<Path>,
        args: &[&str],
        environment: &[(&str, &str)],
        size: Size,
    ) -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keys = openpt(flags)?;
        grantpt(&keys)?;
        unlockpt(&keys)?;
        tcsetwinsize(&keys, winsize(size))?;
        let line = ioctl_tiocgptpeer(&keys, flags)?;
        let child = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .arg(program.as_ref())
            .args(args)
            .env_clear()
            .envs(world.environment())
            .env("TERM", "xterm-256color")
            .envs(environment.iter().copied())
            .current_dir(world.project())
            .stdin(line.try_clone()?)
            .stdout(line.try_clone()?)
            .stderr(line)
            .spawn()?;
        let group = Pid::from_child(&child);
        let shown = Shown::listen(keys.try_clone()?, size);
        Ok(Self { keys, shown, group, ended: Exit::of(child), limit: Duration::from_secs(20) })
    }

    /// Waits no longer than this in place of 20 seconds.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Presses keys: text as it is, the others as the bytes a terminal sends for them.
    ///
    /// # Errors
    /// When the program is gone.
    pub fn keys(&self, keys: &str) -> io::Result<()> {
        let mut rest = keys.as_bytes();
        while !rest.is_empty() {
            let written = rustix::io::write(&self.keys, rest)?;
            rest = &rest[written..];
        }
        Ok(())
    }

    /// Gives the screen another size, which the program is told.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resize(&self, size: Size) -> io::Result<()> {
        hold(&self.shown.state).parser.screen_mut().set_size(size.rows, size.columns);
        Ok(tcsetwinsize(&self.keys, winsize(size))?)
    }

    /// The screen, a line each, without blanks at the ends.
    pub fn screen(&self) -> String {
        hold(&self.shown.state).parser.screen().contents()
    }

    /// Where the cursor is: row and column, from zero.
    pub fn cursor(&self) -> (u16, u16) {
        hold(&self.shown.state).parser.screen().cursor_position()
    }

    /// Looks at the screen with everything that is known of it.
    pub fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(hold(&self.shown.state).parser.screen())
    }

    /// All bytes the program has written, as they came.
    pub fn raw(&self) -> Vec<u8> {
        hold(&self.shown.state).raw.clone()
    }

    /// Waits until the screen is as wanted.
    ///
    /// # Errors
    /// With the screen, when it is not so within the limit or the program has ended first.
    pub fn until(&self, wanted: impl Fn(&str) -> bool) -> Result<String, String> {
        let met = |state: &State| wanted(&state.parser.screen().contents());
        let waits = |state: &mut State| !met(state) && !state.closed;
        let state = hold(&self.shown.state);
        let (state, _) = self
            .shown
            .changed
            .wait_timeout_while(state, self.limit, waits)
            .unwrap_or_else(PoisonError::into_inner);
        let screen = state.parser.screen().contents();
        if wanted(&screen) { Ok(screen) } else { Err(screen) }
    }

    /// Waits until the screen shows this.
    ///
    /// # Errors
    /// With the screen, when it does not show it within the limit.
    pub fn shows(&self, what: &str) -> Result<String, String> {
        self.until(|screen| screen.contains(what))
    }

    /// Waits for the program's end; nothing when it outlives the limit.
    pub fn ended(&self) -> Option<ExitStatus> {
        self.ended.wait(self.limit)
    }

    /// The program's process id, which is its group's as well.
    pub fn pid(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Gone already, then.
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

impl Shown {
    fn listen(from: OwnedFd, size: Size) -> Arc<Self> {
        let parser = vt100::Parser::new(size.rows, size.columns, SCROLLBACK);
        let state = State { parser, raw: Vec::new(), closed: false };
        let shown = Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() });
        let told = Arc::clone(&shown);
        thread::spawn(move || {
            let mut from = std::fs::File::from(from);
            let mut buffer = [0; 4096];
            // Reading fails with EIO when the last writer has gone.
            while let Ok(read) = from.read(&mut buffer)
                && read > 0
            {
                told.take(&buffer[..read]);
            }
            hold(&told.state).closed = true;
            told.changed.notify_all();
        });
        shown
    }

    fn take(&self, bytes: &[u8]) {
        let mut state = hold(&self.state);
        state.parser.process(bytes);
        state.raw.extend_from_slice(bytes);
        drop(state);
        self.changed.notify_all();
    }
}

fn winsize(size: Size) -> Winsize {
    Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 }
}
