//! What a template must be like to be taken at all (templates/components, templates/overview, error-codes).
//!
//! Which subcode stands for what is told by error-codes, *Template creation errors*. It names none for a sample's handle
//! that is not good (others report 131009 with 2494102), a name that is blocked (others: 2388023) and a language that is
//! there already (others: 2388024).

use super::{super::Sandbox, call::Call, error::GraphError, upload};
use serde_json::{Value, json};

/// What a creation asks for, found right.
pub(super) struct Asked {
    pub name: String,
    pub language: String,
    pub category: String,
    pub parameter_format: String,
    pub components: Vec<Value>,
}

impl Asked {
    pub fn body(&self) -> &str {
        let body = self.components.iter().find(|component| component["type"] == "BODY");
        body.and_then(|body| body["text"].as_str()).unwrap_or_default()
    }
}

/// Code 100 without a subcode, and words for people: for what the documents forbid without naming an error.
pub(super) fn forbidden(title: &'static str, message: String) -> GraphError {
    GraphError::new(100, "Invalid parameter").user(title, message)
}

/// Code 100 with a subcode, and Meta's words for people.
pub(super) fn refused(subcode: u32, title: &'static str, message: String) -> GraphError {
    GraphError::new(100, "Invalid parameter").subcode(subcode).user(title, message)
}

pub(super) fn read(sandbox: &Sandbox, call: &Call) -> Result<Asked, GraphError> {
    let text = |name: &str| {
        call.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| GraphError::parameter(format!("The parameter {name} is required.")))
    };
    let (name, language, category) = (text("name")?, text("language")?, text("category")?.to_uppercase());
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.len() > 512 || !name.chars().all(right) {
        return Err(GraphError::parameter(
            "Param name must be made of lower case letters, digits and underscores, 512 at most.",
        ));
    }
    if !["MARKETING", "UTILITY", "AUTHENTICATION"].contains(&category.as_str()) {
        return Err(GraphError::parameter(
            "Param category must be one of {UTILITY, MARKETING, AUTHENTICATION} - got \"".to_owned()
                + &category
                + "\".",
        ));
    }
    let mut format = call.text("parameter_format");
    let components = components(sandbox, call, &category, &mut format)?;
    let parameter_format = format.unwrap_or_else(|| "POSITIONAL".to_owned()).to_uppercase();
    Ok(Asked { name, language, category, parameter_format, components })
}

/// The components, with types in capitals; texts of authentication templates are Meta's own.
pub(super) fn components(
    sandbox: &Sandbox,
    call: &Call,
    category: &str,
    format: &mut Option<String>,
) -> Result<Vec<Value>, GraphError> {
    let list = match call.value("components") {
        Some(Value::Array(list)) => list.clone(),
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        _ => Vec::new(),
    };
    if list.is_empty() {
        return Err(GraphError::parameter("The parameter components is required."));
    }
    let named = format.get_or_insert_with(|| "POSITIONAL".to_owned()).eq_ignore_ascii_case("NAMED");
    let mut out = Vec::new();
    for mut component in list {
        let kind = component["type"].as_str().unwrap_or_default().to_uppercase();
        component["type"] = json!(kind);
        match kind.as_str() {
            "HEADER" => header(sandbox, &mut component, named)?,
            "BODY" if category == "AUTHENTICATION" => {
                let safe = component["add_security_recommendation"] == true;
                let more = if safe { " For your security, do not share this code." } else { "" };
                component["text"] = json!(format!("*{{{{1}}}}* is your verification code.{more}"));
                component["example"] = json!({"body_text": [["123456"]]});
            }
            "BODY" => body(&component, named)?,
            "FOOTER" if category == "AUTHENTICATION" => {
                let minutes = component["code_expiration_minutes"].as_i64().unwrap_or_default();
                if !(1..=90).contains(&minutes) {
                    return Err(refused(
                        2_388_073,
                        "Message footer format is incorrect",
                        "code_expiration_minutes must be between 1 and 90.".to_owned(),
                    ));
                }
                component["text"] = json!(format!("This code expires in {minutes} minutes."));
            }
            "FOOTER" => footer(&component)?,
            "BUTTONS" => buttons(&mut component, category)?,
            _ => {}
        }
        out.push(component);
    }
    if !out.iter().any(|component| component["type"] == "BODY") {
        return Err(refused(2_388_072, "Message body format is incorrect", "A template needs a body.".to_owned()));
    }
    Ok(out)
}

fn limit(text: &str, most: usize, what: &str) -> Result<(), GraphError> {
    let long = text.chars().count();
    if long <= most {
        return Ok(());
    }
    Err(refused(
        2_388_040,
        "Character Limit Exceeded",
        format!("The {what} has {long} characters; it may have {most} at most."),
    ))
}

/// The variables of a text, in order, and whether its braces fit.
fn variables(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let (name, after) = rest[at + 2..].split_once("}}")?;
        found.push(name.to_owned());
        rest = after;
    }
    Some(found)
}

fn check_variables(found: &[String], named: bool) -> bool {
    let mut distinct: Vec<&String> = Vec::new();
    for name in found {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    if named {
        let right = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
        return distinct.iter().all(|name| {
            !name.is_empty() && name.chars().all(right) && !name.starts_with(|c: char| c.is_ascii_digit())
        });
    }
    distinct.iter().enumerate().all(|(at, name)| **name == (at + 1).to_string())
}

fn header(sandbox: &Sandbox, component: &mut Value, named: bool) -> Result<(), GraphError> {
    let format = component["format"].as_str().unwrap_or_default().to_uppercase();
    component["format"] = json!(format);
    let wrong = |why: &str| refused(2_388_047, "Message Header Format Is Incorrect", why.to_owned());
    match format.as_str() {
        "TEXT" => {
            let text = component["text"].as_str().unwrap_or_default();
            limit(text, 60, "header")?;
            let found = variables(text).ok_or_else(|| wrong("A variable's braces don't match."))?;
            if text.is_empty() || found.len() > 1 || !check_variables(&found, named) {
                return Err(wrong("A text header has a text and one variable at most."));
            }
            if text.contains(['\n', '*', '~', '`']) || text.chars().any(is_emoji) {
                return Err(wrong("A header has no line breaks, no formatting and no emoji."));
            }
            let key = if named { "header_text_named_params" } else { "header_text" };
            let given = component["example"][key].as_array().map_or(0, Vec::len);
            if given < found.len() {
                return Err(wrong("A variable in the header needs an example."));
            }
        }
        "IMAGE" | "VIDEO" | "DOCUMENT" | "GIF" => {
            let handle = component["example"]["header_handle"][0].as_str().unwrap_or_default();
            if handle.is_empty() {
                return Err(wrong("A header with media needs a sample's handle."));
            }
            let now_ms = sandbox.now_ms();
            let sample = sandbox.read(|state| {
                upload::by_handle(state, handle, now_ms).map(|upload| (upload.mime_type.clone(), upload.file.clone()))
            });
            let Some((mime_type, file)) = sample else {
                return Err(GraphError::new(131_009, "(#131009) Parameter value is not valid")
                    .subcode(2_494_102)
                    .user(
                        "Invalid Media Handle",
                        "The media handle is not valid. Upload the sample again.".to_owned(),
                    ));
            };
            let fits = match format.as_str() {
                "IMAGE" => mime_type.starts_with("image/"),
                "DOCUMENT" => mime_type == "application/pdf",
                _ => mime_type == "video/mp4",
            };
            if !fits {
                return Err(wrong(&format!(
                    "The sample is {mime_type}, which does not fit a header of the format {format}."
                )));
            }
            // Whoever reads the template gets an address, and no handle that could be sent again.
            component["example"]["header_handle"] = json!([format!("https://scontent.whatsapp.net/v/{file}")]);
        }
        "LOCATION" => {}
        _ => return Err(wrong("The header's format is not known.")),
    }
    Ok(())
}

fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x1F300..=0x1FAFF | 0x2600..=0x27BF)
}

fn body(component: &Value, named: bool) -> Result<(), GraphError> {
    let text = component["text"].as_str().unwrap_or_default();
    let wrong = |why: &str| refused(2_388_072, "Message Body Format Is Incorrect", why.to_owned());
    limit(text, 1_024, "body")?;
    if text.trim().is_empty() {
        return Err(wrong("The body is empty."));
    }
    let found = variables(text).ok_or_else(|| wrong("A variable's braces don't match."))?;
    if !check_variables(&found, named) {
        return Err(wrong(
            "Variables are numbered from 1 without gaps, or have names of small letters and underscores.",
        ));
    }
    let trimmed = text.trim();
    if trimmed.starts_with("{{") || trimmed.ends_with("}}") {
        return Err(refused(
            2_388_299,
            "Leading or trailing params not allowed",
            "Variables can't be at the start or end of the template.".to_owned(),
        ));
    }
    if trimmed.contains("}}{{") || trimmed.contains("}} {{") {
        return Err(wrong("Variables can't stand next to each other."));
    }
    // Meta does not say where the line is. Two words for each variable is a guess.
    let words = text.split_whitespace().filter(|word| !word.contains("{{")).count();
    if found.len() * 2 > words {
        return Err(refused(2_388_293, "Parameters words ratio exceeds limit",
            "This template has too many variables for its length. Reduce the number of variables or increase the message length.".to_owned()));
    }
    let distinct: std::collections::BTreeSet<&String> = found.iter().collect();
    let given = if named {
        component["example"]["body_text_named_params"].as_array().map_or(0, Vec::len)
    } else {
        let list = &component["example"]["body_text"];
        list[0].as_array().or(list.as_array()).map_or(0, Vec::len)
    };
    if given < distinct.len() {
        return Err(wrong("Each variable in the body needs an example."));
    }
    Ok(())
}

fn footer(component: &Value) -> Result<(), GraphError> {
    let text = component["text"].as_str().unwrap_or_default();
    limit(text, 60, "footer")?;
    if text.is_empty() || text.contains("{{") || text.contains('\n') {
        return Err(refused(
            2_388_073,
            "Message Footer Format Is Incorrect",
            "A footer has a text without variables and line breaks.".to_owned(),
        ));
    }
    Ok(())
}

fn buttons(component: &mut Value, category: &str) -> Result<(), GraphError> {
    let wrong = |why: &str| GraphError::parameter(why);
    let Some(list) = component["buttons"].as_array_mut() else { return Err(wrong("The buttons are missing.")) };
    let mut kinds = Vec::new();
    for button in list.iter_mut() {
        let kind = button["type"].as_str().unwrap_or_default().to_uppercase();
        button["type"] = json!(kind);
        limit(button["text"].as_str().unwrap_or_default(), 25, "button text")?;
        match kind.as_str() {
            "URL" => {
                let url = button["url"].as_str().unwrap_or_default();
                limit(url, 2_000, "button's address")?;
                let sample = if button["example"].is_array() { &button["example"][0] } else { &button["example"] };
                if url.contains("{{") && (!url.ends_with("{{1}}") || sample.as_str().is_none_or(str::is_empty)) {
                    return Err(wrong("A button's address has one variable, {{1}}, at its end, and an example."));
                }
            }
            "PHONE_NUMBER" => limit(button["phone_number"].as_str().unwrap_or_default(), 20, "button's number")?,
            "COPY_CODE" => {
                let example = &button["example"];
                limit(example.as_str().or(example[0].as_str()).unwrap_or_default(), 15, "button's code")?;
            }
            "OTP" => {
                button["otp_type"] = json!(button["otp_type"].as_str().unwrap_or_default().to_uppercase());
                button["text"] = json!("Copy code");
            }
            _ => {}
        }
        kinds.push(kind);
    }
    let count = |kind: &str| kinds.iter().filter(|one| *one == kind).count();
    let groups = 1 + kinds.windows(2).filter(|pair| (pair[0] == "QUICK_REPLY") != (pair[1] == "QUICK_REPLY")).count();
    if kinds.is_empty() || kinds.len() > 10 || count("URL") > 2 || count("PHONE_NUMBER") > 1 || count("COPY_CODE") > 1 {
        return Err(wrong("There are more buttons of a kind than allowed."));
    }
    if groups > 2 {
        return Err(wrong("Invalid combination of buttons: quick replies and others must be grouped."));
    }
    if category == "AUTHENTICATION" && (kinds.len() > 1 || count("OTP") != 1) {
        return Err(wrong("An authentication template has one OTP button."));
    }
    Ok(())
}
