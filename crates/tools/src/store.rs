//! Contents under their own hash: whole outputs and the files that calls were about to change.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use purlin_engine::tool::{Keep, Kept};
use sha2::{Digest as _, Sha256};
use tempfile::Builder;

use crate::seen::hex;

/// A folder of contents, readable by its owner alone: what is kept may be secret. The same
/// content is kept once.
#[derive(Clone, Debug)]
pub struct Store {
    /// Where; made when something is first kept.
    pub folder: PathBuf,
}

impl Store {
    /// Keeps these bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep(&self, bytes: &[u8]) -> io::Result<Kept> {
        let hash = hex(&Sha256::digest(bytes));
        let path = self.folder.join(&hash);
        if !path.is_file() {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
            let owner_only = Permissions::from_mode(0o600);
            let mut file = Builder::new().permissions(owner_only).tempfile_in(&self.folder)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
        }
        Ok(Kept { path, hash })
    }

    /// What was kept under this hash.
    ///
    /// # Errors
    /// When there is no such content, or it was damaged since.
    pub fn read(&self, hash: &str) -> io::Result<Vec<u8>> {
        if hash.is_empty() || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a hash"));
        }
        let bytes = fs::read(self.folder.join(hash))?;
        if hex(&Sha256::digest(&bytes)) != hash {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "damaged in the store"));
        }
        Ok(bytes)
    }

    /// The store as the function that the engine keeps things with.
    pub fn keeping(self) -> Keep {
        Arc::new(move |bytes| self.keep(bytes))
    }
}
