//! How a file of others is shown, and named in a command. Everything in it comes from whoever shares it.

use std::path::{Path, PathBuf};

use common::wire::control::{Refusal, files::FileShown};
use peer::size::Size;

use super::{
    outbox::beginning,
    refused,
    text::{exact, inline},
};

/// Digits of a root that name a file where its name does not.
const DIGITS: usize = 16;

/// `cat.jpg (image/jpeg, 1024x768, 320 KiB)`.
pub fn told(file: &FileShown) -> String {
    format!("{} ({})", exact(&file.name), details(file))
}

/// `image/jpeg, 1024x768, 320 KiB`.
pub fn details(file: &FileShown) -> String {
    let kind = kind(file);
    let size = Size(file.size);
    if kind == "-" { size.to_string() } else { format!("{kind}, {size}") }
}

/// `image/jpeg, 1024x768`, `folder`, or `-`.
pub fn kind(file: &FileShown) -> String {
    let media = inline(&file.media);
    match (file.folder, file.width.zip(file.height)) {
        (true, _) => "folder".into(),
        (false, Some((width, height))) if media.is_empty() => format!("{width}x{height}"),
        (false, Some((width, height))) => format!("{media}, {width}x{height}"),
        (false, None) if media.is_empty() => "-".into(),
        (false, None) => media,
    }
}

/// Its name, as a column of a table shows it.
pub fn column(file: &FileShown) -> String {
    exact(&beginning(&file.name))
}

/// What names it in a command, here and in a shell: its name, in quotes where that helps, or else digits of its root.
pub fn named(file: &FileShown) -> String {
    let name = file.name.as_str();
    let is_plain = |c: char| c.is_alphanumeric() || "._+-@%,:=".contains(c);
    // What is seen as an option, or is not seen as it is, is nothing to be typed.
    let is_odd = name.starts_with('-') || name.is_empty() || exact(name) != name || name.contains('\'');
    match name {
        _ if is_odd => file.root.chars().take(DIGITS).collect(),
        name if name.chars().all(is_plain) => name.into(),
        name => format!("'{name}'"),
    }
}

/// A path as the peer needs it, whose own folder is another.
pub fn absolute(path: &Path) -> Result<PathBuf, Refusal> {
    let absolute = std::path::absolute(path).map_err(|error| cannot(path, &error))?;
    // One that ends in `..` has no name to share it by.
    if absolute.file_name().is_some() {
        Ok(absolute)
    } else {
        absolute.canonicalize().map_err(|error| cannot(path, &error))
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Refusal {
    refused(format!("cannot tell where {:?} is: {error}", path.display().to_string()))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A picture called so.
    pub fn picture(name: &str) -> FileShown {
        FileShown {
            name: name.into(),
            root: "0123456789abcdef".repeat(4),
            size: 320 << 10,
            folder: false,
            media: "image/jpeg".into(),
            width: Some(1_024),
            height: Some(768),
        }
    }

    #[test]
    fn a_picture_shows_its_type_and_size_and_a_folder_that_it_is_one() {
        assert_eq!(told(&picture("cat.jpg")), "cat.jpg (image/jpeg, 1024x768, 320 KiB)");
        let plain = FileShown { media: String::new(), width: None, height: None, ..picture("notes") };
        assert_eq!(told(&plain), "notes (320 KiB)");
        assert_eq!(told(&FileShown { folder: true, ..plain }), "notes (folder, 320 KiB)");
    }

    #[test]
    fn nothing_in_a_file_steers_the_terminal() {
        let file = FileShown { media: "a\u{1b}b".into(), ..picture("c\u{1b}[2J\u{202e}gpj.tac") };
        assert!(!told(&file).contains(['\u{1b}', '\u{202e}']), "{}", told(&file));
        assert!(!column(&file).contains(['\u{1b}', '\u{202e}']));
    }

    #[test]
    fn what_cannot_be_typed_by_its_name_is_named_by_its_root() {
        let name = |name: &str| named(&picture(name));
        assert_eq!(name("cat-2.jpg"), "cat-2.jpg");
        assert_eq!(name("my cat.jpg"), "'my cat.jpg'");
        assert_eq!(name("$(reboot)"), "'$(reboot)'");
        for odd in ["-rf", "bob's cat.jpg", "a\u{202e}b", "a\u{7}b", "a\u{200d}b"] {
            assert_eq!(name(odd), "0123456789abcdef", "{odd}");
        }
    }
}
