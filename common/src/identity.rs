//! The identity key pair of an account or a tracker, kept in a file that only its owner can read.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::{id::Key, why};

/// How long a key's file is.
const KEY_BYTES: usize = 32;

/// An Ed25519 key pair (RFC 8032). Cloning shares who somebody is: keep clones inside one process.
#[derive(Clone)]
pub struct Identity {
    pair: SigningKey,
}

/// Why an identity could not be had from its file.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file or its folder cannot be read or written.
    #[error("cannot use the key file {}: {}; check that the folder exists and belongs to you", path.display(), why(source))]
    Io {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read the file, so the key may no longer be a secret.
    #[error("the key file {} can be read by others (mode {mode:03o}); if nobody has, run: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else. What to do is for whoever asks to say: a new key is a new identity.
    #[error("{} is damaged: a key has {KEY_BYTES} bytes, it has {bytes}", path.display())]
    Malformed {
        /// The key file.
        path: PathBuf,
        /// How long it is, in bytes.
        bytes: usize,
    },
}

impl Identity {
    /// The identity whose secret half is `seed`. Tests use it to be somebody in particular.
    pub fn from_seed(seed: [u8; 32]) -> Identity {
        Identity { pair: SigningKey::from_bytes(&seed) }
    }

    /// A new identity from the system's random source.
    pub fn generate() -> io::Result<Identity> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        Ok(Identity::from_seed(seed))
    }

    /// Reads the identity kept at `path`, or makes one there with mode 0600 if there is no such file. The new file
    /// is complete and synced before it has its name, so that a crash leaves either no key or a whole one.
    pub fn load_or_create(path: &Path) -> Result<Identity, IdentityError> {
        let fail = |source| IdentityError::Io { path: path.to_owned(), source };
        match fs::read(path) {
            Ok(bytes) => {
                let mode = fs::metadata(path).map_err(fail)?.permissions().mode() & 0o777;
                if mode & 0o077 != 0 {
                    return Err(IdentityError::Exposed { path: path.to_owned(), mode });
                }
                let found = bytes.len();
                let malformed = |_| IdentityError::Malformed { path: path.to_owned(), bytes: found };
                let seed: [u8; KEY_BYTES] = bytes.try_into().map_err(malformed)?;
                Ok(Identity::from_seed(seed))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let identity = Identity::generate().map_err(fail)?;
                identity.create(path).map_err(fail)?;
                Ok(identity)
            }
            Err(error) => Err(fail(error)),
        }
    }

    fn create(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let partial = path.with_extension("new");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(&self.pair.to_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        fs::File::open(folder)?.sync_all()
    }

    /// The public half.
    pub fn key(&self) -> Key {
        Key(self.pair.verifying_key().to_bytes())
    }

    /// An Ed25519 signature of `bytes`.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.pair.sign(bytes).to_bytes()
    }

    /// The secret half, for making the TLS certificate.
    #[cfg(feature = "net")]
    pub(crate) fn seed(&self) -> [u8; 32] {
        self.pair.to_bytes()
    }
}

impl Key {
    /// Whether `signature` is this key's signature of `bytes`, by the strict rules that leave one valid signature
    /// no second form.
    pub fn verify(&self, bytes: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(bytes, &Signature::from_bytes(signature)).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("rollcall-identity-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_new_key_is_kept_and_only_its_owner_can_read_it() {
        let path = folder("kept").join("deep/key");
        let made = Identity::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Identity::load_or_create(&path).unwrap().key(), made.key());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let path = folder("exposed").join("key");
        Identity::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Identity::load_or_create(&path), Err(IdentityError::Exposed { mode: 0o644, .. })));
    }

    #[test]
    fn a_cut_key_file_is_refused_and_left_alone() {
        let path = folder("cut").join("key");
        Identity::load_or_create(&path).unwrap();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(31).unwrap();
        assert!(matches!(Identity::load_or_create(&path), Err(IdentityError::Malformed { .. })));
        assert_eq!(fs::metadata(&path).unwrap().len(), 31);
    }

    #[test]
    fn a_signature_holds_for_its_key_and_bytes_only() {
        let (alice, bob) = (Identity::from_seed([1; 32]), Identity::from_seed([2; 32]));
        let signature = alice.sign(b"hello");
        assert!(alice.key().verify(b"hello", &signature));
        assert!(!alice.key().verify(b"hallo", &signature));
        assert!(!bob.key().verify(b"hello", &signature));
    }
}
