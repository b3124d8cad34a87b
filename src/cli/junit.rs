//! The report that systems for continuous integration read, the XML of `JUnit`.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::cli::output::plain;

/// A test case, and why it failed, if it did: in a line, and in all.
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) failure: Option<(String, String)>,
}

/// A suite of test cases.
pub(crate) fn suite(name: &str, cases: &[Case<'_>]) -> anyhow::Result<String> {
    let failures = cases.iter().filter(|case| case.failure.is_some()).count();
    let (tests, failures) = (cases.len().to_string(), failures.to_string());
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let counts = [
        ("name", name),
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", "0"),
    ];
    let all = writer.create_element("testsuites").with_attributes(counts);
    all.write_inner_content(|writer| {
        let suite = writer.create_element("testsuite").with_attributes(counts);
        suite.write_inner_content(|writer| {
            cases.iter().try_for_each(|case| write(writer, name, case))
        })?;
        Ok(())
    })?;
    Ok(String::from_utf8(writer.into_inner())? + "\n")
}

fn write(writer: &mut Writer<Vec<u8>>, suite: &str, case: &Case<'_>) -> std::io::Result<()> {
    let name = plain(case.name);
    let element = writer
        .create_element("testcase")
        .with_attributes([("classname", suite), ("name", name.as_str())]);
    let Some((message, lines)) = &case.failure else {
        element.write_empty()?;
        return Ok(());
    };
    // XML has no way to write most control characters.
    let lines: Vec<_> = lines.lines().map(plain).collect();
    let message = plain(message);
    element.write_inner_content(|writer| {
        let failure = writer
            .create_element("failure")
            .with_attribute(("message", message.as_str()));
        failure.write_text_content(BytesText::new(&lines.join("\n")))?;
        Ok(())
    })?;
    Ok(())
}
