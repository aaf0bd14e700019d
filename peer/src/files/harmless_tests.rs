use super::harmless::{LONGEST, harmless, numbered};

#[test]
fn names_of_any_script_stay_as_they_are() {
    for name in
        ["cat.jpg", "a b (1).tar.gz", "Zoë 日本 олег שלום.txt", "👩‍👩‍👧.png", "a.b", "CONTENT.txt", "com", "x-y", "a~"]
    {
        let harmless = harmless(name);
        assert_eq!((harmless.name.as_str(), harmless.why), (name, None));
    }
}

#[test]
fn names_that_do_harm_become_others_and_it_is_said_why() {
    let table = [
        ("../../etc/passwd", "_.._.._etc_passwd"),
        ("/etc/passwd", "_etc_passwd"),
        ("a\\b", "a_b"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        ("...", "file"),
        (" ", "file"),
        (".bashrc", "_.bashrc"),
        ("-rf", "_-rf"),
        ("~root", "_~root"),
        ("a\u{1b}[2Jb", "a_[2Jb"),
        ("a\nb\0c", "a_b_c"),
        ("gpj.\u{202e}exe", "gpj._exe"),
        ("\u{feff}a\u{200b}", "_a_"),
        ("a\u{2028}b", "a_b"),
        ("a<b>c:d\"e|f?g*h", "a_b_c_d_e_f_g_h"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("NUL .tar.gz", "_NUL .tar.gz"),
        ("Com1", "_Com1"),
        ("LPT9.log", "_LPT9.log"),
        ("lpt¹", "_lpt¹"),
        ("trailing. . ", "trailing"),
        ("  leading", "leading"),
        ("e\u{301}", "é"),
    ];
    for (given, expected) in table {
        let harmless = harmless(given);
        assert_eq!(harmless.name, expected, "{given:?}");
        assert!(harmless.why.is_some(), "{given:?}");
    }
}

#[test]
fn a_name_of_4000_characters_is_cut_and_keeps_what_it_ends_with() {
    for letter in ["x", "ü", "日", "👍"] {
        let cut = harmless(&format!("{}.jpg", letter.repeat(4_000)));
        assert!(cut.name.len() <= LONGEST && cut.name.len() > LONGEST - 5, "{}", cut.name.len());
        assert!(cut.name.ends_with(&format!("{letter}.jpg")));
        assert_eq!(cut.why, Some("it was too long"));
    }
    assert!(harmless(&format!("a.{}", "x".repeat(4_000))).name.len() <= LONGEST);
    assert!(harmless(&"CON ".repeat(1_000)).name.len() <= LONGEST);
}

#[test]
fn a_harmless_name_stays_the_same() {
    for given in ["..a", "CON.", "-- -", "e\u{301}/..", &".".repeat(500), &"a. ".repeat(200)] {
        let once = harmless(given).name;
        assert_eq!(harmless(&once).name, once, "{given:?}");
    }
}

#[test]
fn names_that_became_the_same_are_told_apart_by_a_number() {
    assert_eq!(numbered("a?.txt", 1), "a_.txt");
    assert_eq!(numbered("a?.txt", 2), "a_ (2).txt");
    assert!(numbered(&"x".repeat(4_000), 12).len() <= LONGEST);
}
