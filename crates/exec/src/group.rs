//! A program and everything it starts: one process group with one owner, whose end is theirs.
//!
//! A process that leaves the group (`setsid`) is out of reach here; holding it takes a pid
//! namespace.

use std::io;
use std::path::Path;
use std::process::ExitStatus;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, kill_process_group, test_kill_process, test_kill_process_group,
};
use tokio::process::{Child, Command};

/// Owns a process group. Dropping it kills the group at once; the runtime collects the dead leader,
/// so that no zombie stays.
pub(crate) struct Group {
    leader: Child,
    number: Option<Pid>,
    status: Option<ExitStatus>,
}

impl Group {
    /// Starts a command that was told to lead a group of its own.
    pub(crate) fn start(mut command: Command) -> io::Result<Group> {
        let leader = command.process_group(0).spawn()?;
        let number = leader.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Group { leader, number, status: None })
    }

    /// Waits for the leader. May be dropped and called again.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.leader.wait().await?;
        self.status = Some(status);
        Ok(status)
    }

    /// How the leader ended, once somebody has waited for it.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Is anybody left alive?
    pub(crate) fn inhabited(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.leader.try_wait().ok().flatten();
        }
        let Some(number) = self.reachable() else { return false };
        test_kill_process_group(number).is_ok()
            && (self.status.is_none() || has_living(number).unwrap_or(true))
    }

    /// Sends a signal to everybody in the group.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(number) = self.reachable() {
            // Fails only when nobody is left, which is what is wanted.
            let _ = kill_process_group(number, signal);
        }
    }

    /// The group's number while it is certainly ours. No system gives a number away while its
    /// process is uncollected or its group inhabited; so once the leader is collected, a process
    /// that bears the number is a stranger and the group is gone.
    fn reachable(&self) -> Option<Pid> {
        let number = self.number?;
        let ours = self.status.is_none() || test_kill_process(number) == Err(Errno::SRCH);
        ours.then_some(number)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Whether somebody in the group is more than dead and uncollected, where the system can be asked.
/// Signals reach the dead as well, and in a container their new parent may never collect them.
fn has_living(group: Pid) -> Option<bool> {
    if !Path::new("/proc/self/stat").exists() {
        return None;
    }
    let group = group.as_raw_nonzero().to_string();
    let lives = |stat: &str| {
        // The name in the middle may hold anything, so that the fields are counted behind it.
        let mut fields = stat.rsplit(") ").next()?.split(' ');
        let (state, _parent, own) = (fields.next()?, fields.next()?, fields.next()?);
        Some(own == group && !matches!(state, "Z" | "X"))
    };
    let mut processes = std::fs::read_dir("/proc").ok()?.flatten().filter(|process| {
        process.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit)
    });
    Some(processes.any(|process| {
        let stat = std::fs::read_to_string(process.path().join("stat"));
        stat.is_ok_and(|stat| lives(&stat) == Some(true))
    }))
}
