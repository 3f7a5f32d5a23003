//! The Smalltalk itself: what code answers, printed as Pharo prints it.

mod language;

use stui_tests::Image;

/// Evaluates each code in a session of its own image; all wrong ones are told together.
fn all_print(table: &[(&str, &str)]) {
    let image = Image::shared();
    let client = image.client();
    let session = client.session();
    let wrong: Vec<_> = table
        .iter()
        .filter_map(|(code, expected)| match session.evaluate(code) {
            Ok(evaluated) if evaluated.result == *expected => None,
            Ok(evaluated) => Some(format!(
                "{code}\n    printed  {}\n    not      {expected}",
                evaluated.result
            )),
            Err(failure) => Some(format!(
                "{code}\n    failed   {failure}\n    not      {expected}"
            )),
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_are_exact_and_of_any_size() {
    all_print(&[
        ("100 factorial / 98 factorial", "9900"),
        ("2 raisedTo: 100", "1267650600228229401496703205376"),
        ("(1/3) + (2/3)", "1"),
        ("1/2", "(1/2)"),
        ("7 // 2", "3"),
        ("-7 // 2", "-4"),
        ("-7 \\\\ 2", "1"),
        ("-7 quo: 2", "-3"),
        ("-7 rem: 2", "-1"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("3.0e10", "3.0e10"),
        ("1.0e100", "1.0e100"),
        ("2 sqrt", "1.4142135623730951"),
        ("16r1F", "31"),
        ("255 printStringBase: 16", "'FF'"),
        ("1073741823 + 1", "1073741824"),
        ("(2 raisedTo: 64) - 1 bitAnd: 255", "255"),
        ("3 max: 7", "7"),
        ("12 gcd: 18", "6"),
        ("3 between: 1 and: 5", "true"),
        ("17 isPrime", "true"),
        ("3.7 rounded", "4"),
        ("3.7 truncated", "3"),
        ("1 = 1.0", "true"),
        ("(1/2) asFloat", "0.5"),
        ("'42' asNumber + 1", "43"),
        ("5 even", "false"),
        ("10 printString size", "2"),
        ("30 factorial printString size", "33"),
        ("1e3", "1000"),
        ("-5 abs", "5"),
        ("Float nan = Float nan", "false"),
    ]);
}

#[test]
fn text_is_characters_strings_and_symbols() {
    all_print(&[
        ("'it''s'", "'it''s'"),
        ("$a", "$a"),
        ("$a asInteger", "97"),
        ("#foo", "#foo"),
        ("#foo:bar:", "#foo:bar:"),
        ("#'with space'", "#'with space'"),
        ("#+", "#+"),
        ("'hello' reversed", "'olleh'"),
        ("'hello' asUppercase", "'HELLO'"),
        ("'hello' , ' ' , 'world'", "'hello world'"),
        ("'hello' size", "5"),
        ("'hello' asSymbol == #hello", "true"),
        ("'hello' first", "$h"),
        ("'a,b,c' substrings: ','", "#('a' 'b' 'c')"),
        ("'hello world' indexOf: $o", "5"),
        ("'hello' includesSubstring: 'ell'", "true"),
        ("'hello' copyReplaceAll: 'l' with: 'L'", "'heLLo'"),
        ("'hello' occurrencesOf: $l", "2"),
        ("'abc' < 'abd'", "true"),
        ("'hello' copyFrom: 2 to: 4", "'ell'"),
        ("'grüße' size", "5"),
        ("'  trim ' trimBoth", "'trim'"),
        ("'one two' asUppercase asSymbol", "#'ONE TWO'"),
        ("String new", "''"),
        ("3 printString , 'x'", "'3x'"),
        ("'hello' beginsWith: 'he'", "true"),
        ("'abc' asArray", "#($a $b $c)"),
    ]);
}

#[test]
fn collections_hold_and_answer() {
    all_print(&[
        ("#(1 $a 'b' #c nil true)", "#(1 $a 'b' #c nil true)"),
        ("#[1 2 3]", "#[1 2 3]"),
        ("{ 1 + 1. 'x' }", "#(2 'x')"),
        ("(1 to: 5)", "(1 to: 5)"),
        ("(1 to: 5) asArray", "#(1 2 3 4 5)"),
        (
            "(1 to: 10 by: 3) asOrderedCollection",
            "an OrderedCollection(1 4 7 10)",
        ),
        ("#(3 1 2) asSortedCollection asArray", "#(1 2 3)"),
        ("#(3 1 2) sorted", "#(1 2 3)"),
        ("#(3 1 2) sorted: [:a :b | a > b]", "#(3 2 1)"),
        ("#(1 2 3) collect: [:n | n * n]", "#(1 4 9)"),
        ("#(1 2 3 4) select: [:n | n even]", "#(2 4)"),
        ("#(1 2 3 4) reject: [:n | n even]", "#(1 3)"),
        ("#(1 2 3) inject: 0 into: [:a :b | a + b]", "6"),
        ("#(1 2 3) detect: [:n | n > 5] ifNone: ['none']", "'none'"),
        ("(1 to: 3) do: [:n | n] separatedBy: []", "(1 to: 3)"),
        ("#(1 2 3) reverse", "#(3 2 1)"),
        ("#(1 2) , #(3)", "#(1 2 3)"),
        (
            "#(1 2 3) with: #(4 5 6) collect: [:a :b | a * b]",
            "#(4 10 18)",
        ),
        (
            "OrderedCollection new add: 1; add: 2; addFirst: 0; yourself",
            "an OrderedCollection(0 1 2)",
        ),
        (
            "(OrderedCollection withAll: #(1 2 3)) removeFirst; yourself",
            "an OrderedCollection(2 3)",
        ),
        ("(Set withAll: #(1 1 2)) size", "2"),
        ("(Bag withAll: #(1 1 2)) occurrencesOf: 1", "2"),
        (
            "(Dictionary new) at: #a put: 1; yourself",
            "a Dictionary(#a->1 )",
        ),
        ("(Dictionary new) at: #a ifAbsent: [3]", "3"),
        (
            "(Dictionary newFromPairs: #(a 1 b 2)) keys sorted",
            "#(#a #b)",
        ),
        ("1 -> 2", "1->2"),
        ("3 @ 4 + 1", "(4@5)"),
        ("(3 @ 4) x", "3"),
        ("#(1 2 3) anySatisfy: [:n | n > 2]", "true"),
        ("#() isEmpty", "true"),
        ("#(1 2 3) second", "2"),
        ("#(5 3 9) max", "9"),
        ("#(1 2 3) includes: 2", "true"),
        ("(Array new: 2)", "#(nil nil)"),
        ("#(1 2 3) allButFirst", "#(2 3)"),
        ("#(#a #b) asBag size", "2"),
    ]);
}

#[test]
fn streams_read_and_write() {
    all_print(&[
        (
            "| s | s := WriteStream on: String new. s nextPutAll: 'ab'; nextPut: $c; print: 3. s contents",
            "'abc3'",
        ),
        (
            "String streamContents: [:s | #(1 2) do: [:n | s print: n] separatedBy: [s nextPut: $,]]",
            "'1,2'",
        ),
        (
            "| s | s := ReadStream on: #(1 2 3). s next. s upToEnd",
            "#(2 3)",
        ),
        ("('a b' readStream) upTo: $ ", "'a'"),
        ("| s | s := 'abc' readStream. s skip: 1. s peek", "$b"),
        ("('abc' readStream) next; next; next; atEnd", "true"),
    ]);
}

#[test]
fn time_passes_and_chance_is_within_its_bounds() {
    all_print(&[
        ("(Duration seconds: 90) printString", "'0:00:01:30'"),
        ("3 seconds + 2 minutes = 123 seconds", "true"),
        (
            "(Date year: 2024 month: 2 day: 29) dayOfWeekName",
            "#Thursday",
        ),
        (
            "((Date year: 2024 month: 3 day: 1) subtractDays: 1) dayOfMonth",
            "29",
        ),
        ("(Time hour: 13 minute: 5 second: 9) hour", "13"),
        ("DateAndTime now <= DateAndTime now", "true"),
        (
            "[(Delay forMilliseconds: 30) wait] timeToRun asMilliSeconds >= 25",
            "true",
        ),
        (
            "| r | r := Random new. (1 to: 100) allSatisfy: [:n | (r nextInteger: 6) between: 1 and: 6]",
            "true",
        ),
        ("#(1 2 3) includes: #(1 2 3) atRandom", "true"),
    ]);
}

#[test]
fn processes_wait_for_each_other() {
    all_print(&[
        (
            "| s n | s := Semaphore new. n := 0. [n := 5. s signal] fork. s wait. n",
            "5",
        ),
        ("| m | m := Mutex new. m critical: [m critical: [3]]", "3"),
        (
            "| s | s := Semaphore new. [(Delay forMilliseconds: 20) wait. s signal] fork. s wait. #done",
            "#done",
        ),
    ]);
}
