//! Errors as a person reads them.

use std::error::Error;

/// An error and what caused it, outermost first. A cause that the text names already is not told again.
pub fn reasons(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        next = cause.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("cannot read it")]
        Silent(#[source] io::Error),
        #[error("cannot read it: {0}; look again")]
        Telling(#[source] io::Error),
    }

    #[test]
    fn a_cause_is_told_once() {
        let cause = || io::Error::other("gone");
        assert_eq!(reasons(&Outer::Silent(cause())), "cannot read it: gone");
        assert_eq!(reasons(&Outer::Telling(cause())), "cannot read it: gone; look again");
    }
}
