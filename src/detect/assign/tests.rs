//! The grammar, spelling by spelling.

use super::*;
use proptest::prelude::*;

fn values(text: &str) -> Vec<&str> {
    let Some(at) = text.to_lowercase().find("password") else {
        return Vec::new();
    };
    let word = ViewSpan::new(at, at + 8);
    let found = read(text.as_bytes(), ViewSpan::new(0, text.len()), word);
    found
        .values
        .iter()
        .map(|v| &text[v.value.range()])
        .collect()
}

#[test]
fn reads_every_spelling() {
    for text in [
        "db_password = \"V1\"",
        "db_password='V1'",
        "password: str = 'V1'",
        "{\"password\": \"V1\"}",
        "{\\\"password\\\": \\\"V1\\\"}",
        "os.environ[\"DB_PASSWORD\"] = \"V1\"",
        "x = os.getenv(\"DB_PASSWORD\", \"V1\")",
        "spark.conf.set(\"my.password\", \"V1\")",
        "password = os.environ.get('PW', 'V1')",
        "password = SecretStr(\"V1\")",
        "password = getpass('Password: ')  # V1",
        "password => 'V1'",
        "password := `V1`",
        "export PASSWORD=V1",
        "%env PASSWORD=V1",
        "password: V1\nnext: x",
        "Password=V1;Encrypt=true",
        "az x --admin-password V1 --name y",
        "az x --admin-password 'V1'",
        "<password>V1</password>",
        "<add key=\"Password\" value=\"V1\"/>",
        "{\"name\": \"DB_PASSWORD\", \"value\": \"V1\"}",
        "CREATE LOGIN a WITH PASSWORD 'V1'",
        "connect(password=\n    \"V1\")",
        "setPassword(\"V1\")",
        "new Password(\"V1\")",
        "password += 'V1'",
        "password ||= 'V1'",
        "if password == \"V1\" {",
        "if auth['password'] === 'V1'",
        "expect(x.password).to eq('V1')",
        "body.password.equals(\"V1\")",
        "PASSWORD: ${DB_PASS:-V1}",
        "- name: DB_PASSWORD\n  value: V1",
        "'password' => 'V1',",
        "auth_password=(\"me\", \"V1\")",
        "?password=V1&x=y",
        "\"...password=V1\\n\"",
        "password: []string{\"V1\"}",
        "password = new Secret(\"V1\")",
    ] {
        assert_eq!(values(text), ["V1"], "{text}");
    }
}

#[test]
fn says_nothing_where_nothing_is_assigned() {
    for text in [
        "the password is long",
        "password",
        "passwords = ",
        "def password(self):",
        "Password::new(\"V1\")",
        "arn:aws:x:password:V1",
        "PASSWORD= NEXT=V1",
        "f(\"password\"), \"V1\"",
    ] {
        assert!(values(text).is_empty(), "{text}");
    }
}

proptest! {
    #[test]
    fn never_panics(text in "[pasw\"'=:,()<>#\\\\ \n\t`]{0,40}password[pasword\"'=:,()<>#\\\\ \n\t`]{0,60}") {
        values(&text);
    }

    /// What is found depends on what is said to be read and on nothing else.
    #[test]
    fn text_that_was_not_read_does_not_count(
        before in "[a-cK_ \"'=:<.\n]{0,90}",
        next in prop_oneof![
            "[a-c_.\"'=:,()<>{}|&$ \n\\\\]{0,24}", "[ =:(\"']{1,3}[0-9a-f, \"')\n]{0,40}",
            "[=:]\"[a-c ]{0,700}\"", "[=(<>]{1,2}[a-c0, .(\"]{0,700}",
            // What is looked for and not found: the end of a string, an element, a variable, a call, a list;
            // a comment.
            "[=:] ?\"[a-c ]{0,400}\n", ">[a-c ]{0,400}\n", "=\\$\\{[a-c]:-[a-c ]{0,400}\n",
            "(=a)?\\(\"a\"[a-c ]{0,400}\n", "=\\[[0-9, ]{0,400}\n",
            "=getpass\\(\\)[a-c ]{0,400}\n",
        ],
        after in "[a-c\"'=:,(){}<>$ \n;]{0,200}",
        others in "[a-c\"'=:,(){}<>$ \n;#]{1,300}",
        kept in 0..300_usize,
    ) {
        let text = format!("{before}Key{next}{after}");
        let word = ViewSpan::new(before.len(), before.len() + 3);
        let found = read(text.as_bytes(), ViewSpan::new(0, text.len()), word);
        let start = found.read.start as usize;
        let end = text.len().min(found.read.end as usize);
        let other = |from: usize, len: usize| others.bytes().cycle().skip(from).take(len);
        let tail = if end < text.len() { kept.min(others.len()) } else { 0 };
        let changed = other(0, start).chain(text[start..end].bytes());
        let changed: Vec<u8> = changed.chain(other(start, tail)).collect();
        let again = read(&changed, ViewSpan::new(0, changed.len()), word);
        prop_assert_eq!(again, found);
    }
}

#[test]
fn reads_lists_of_bytes() {
    let text = "password := []byte{1, 2, 3, 4, 5, 6, 7, 8}";
    assert_eq!(values(text), ["1, 2, 3, 4, 5, 6, 7, 8"]);
}

#[test]
fn short_words_count_as_words_only() {
    let read_at = |text: &str, keyword: &str| {
        let at = text.find(keyword).expect("it stands there");
        let word = ViewSpan::new(at, at + keyword.len());
        let found = read(text.as_bytes(), ViewSpan::new(0, text.len()), word);
        (text[found.name.range()].to_owned(), found.values.len())
    };
    assert_eq!(read_at("x_key = \"V1\"", "key ="), ("x_key".to_owned(), 1));
    assert_eq!(
        read_at("userpass=\"V1\"", "pass="),
        ("userpass".to_owned(), 1)
    );
    assert_eq!(read_at("monkey = \"V1\"", "key =").1, 0);
    assert_eq!(read_at("bypass=\"V1\"", "pass=").1, 0);
}
