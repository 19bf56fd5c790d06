//! Message templates: `/{waba}/message_templates` and `/{template}`.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management>

use super::{Access, Call, Client, GraphError, Result, paging::Page, parse, phone_number, waba::Success};
use crate::base::ids::WabaId;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

/// What is asked of a template.
const FIELDS: &str = "id,name,language,status,category,previous_category,correct_category,sub_category,parameter_format,\
                      components,quality_score,rejected_reason";
/// What every version answers.
const FIELDS_MINIMAL: &str = "id,name,language,status,category,components,quality_score";
/// How many a page has.
const PAGE: &str = "100";
/// The list's cursor has expired: it is begun again.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/changelog>
const INVALID_CURSOR: i64 = 131_059;

/// A template in one language, as Meta has it. Words that nobody knows yet are kept as they are.
#[derive(Clone, Debug, Deserialize)]
pub struct MessageTemplate {
    /// Meta's ID.
    pub id: String,
    /// Its name, which its translations share.
    #[serde(default)]
    pub name: String,
    /// Such as `en_US`.
    #[serde(default)]
    pub language: String,
    /// `APPROVED`, `PENDING`, `REJECTED` ...
    pub status: Option<String>,
    /// `MARKETING`, `UTILITY`, `AUTHENTICATION`.
    pub category: Option<String>,
    /// What it was before Meta changed it.
    pub previous_category: Option<String>,
    /// What Meta will make of it; empty where it stays.
    pub correct_category: Option<String>,
    /// Such as `CUSTOM`.
    pub sub_category: Option<String>,
    /// `POSITIONAL` or `NAMED`.
    pub parameter_format: Option<String>,
    /// Header, body, footer, buttons, and what may come.
    #[serde(default)]
    pub components: Vec<Value>,
    /// What recipients think of it.
    pub quality_score: Option<QualityScore>,
    /// Why it was rejected; `NONE` where it was not.
    pub rejected_reason: Option<String>,
}

/// What recipients think of a template.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-quality>
#[derive(Clone, Debug, Deserialize)]
pub struct QualityScore {
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    pub score: Option<String>,
}

/// One page of an account's templates.
#[derive(Clone, Debug)]
pub struct TemplatePage {
    /// Those on it.
    pub templates: Vec<MessageTemplate>,
    /// The cursor of the next one; none on the last.
    pub after: Option<String>,
}

/// A template to be made.
#[derive(Clone, Debug)]
pub struct NewTemplate<'a> {
    /// Its name.
    pub name: &'a str,
    /// Such as `en_US`.
    pub language: &'a str,
    /// `MARKETING`, `UTILITY`, `AUTHENTICATION`.
    pub category: &'a str,
    /// `POSITIONAL` or `NAMED`.
    pub parameter_format: &'a str,
    /// Its components.
    pub components: &'a [Value],
}

/// What Meta answers to a new one.
#[derive(Clone, Debug, Deserialize)]
pub struct MadeTemplate {
    /// Its ID.
    pub id: String,
    /// `PENDING`, mostly.
    pub status: Option<String>,
    /// The category that Meta found fit: not always the one that was asked for.
    pub category: Option<String>,
}

impl GraphError {
    /// Whether a list's cursor has expired: it is read again from its beginning.
    #[must_use]
    pub fn is_invalid_cursor(&self) -> bool {
        self.api().is_some_and(|error| error.code == INVALID_CURSOR)
    }
}

impl Client {
    /// One page of an account's templates; the first without a cursor.
    ///
    /// # Errors
    /// See [`GraphError`]; [`GraphError::is_invalid_cursor`] says that it must be begun again.
    pub async fn templates(&self, access: &Access, waba: &WabaId, after: Option<&str>) -> Result<TemplatePage> {
        match self.templates_with(access, waba, after, FIELDS).await {
            // A field that this version does not have.
            Err(error) if phone_number::is_unknown_field(&error) => {
                self.templates_with(access, waba, after, FIELDS_MINIMAL).await
            }
            other => other,
        }
    }

    async fn templates_with(
        &self,
        access: &Access,
        waba: &WabaId,
        after: Option<&str>,
        fields: &str,
    ) -> Result<TemplatePage> {
        let mut query = vec![("limit", PAGE.to_owned()), ("fields", fields.to_owned())];
        query.extend(after.map(|after| ("after", after.to_owned())));
        let path = format!("{waba}/message_templates");
        let body = self.call_raw(access, Method::GET, &path, Call { query, ..Call::default() }).await?;
        let mut page: Page<MessageTemplate> = parse(&body)?;
        let next = page.next();
        Ok(TemplatePage { templates: page.data, after: next.filter(|next| Some(next.as_str()) != after) })
    }

    /// One template.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn template(&self, access: &Access, id: &str) -> Result<MessageTemplate> {
        let fields = |fields: &str| Call { query: vec![("fields", fields.to_owned())], ..Call::default() };
        match self.call(access, Method::GET, id, fields(FIELDS)).await {
            Err(error) if phone_number::is_unknown_field(&error) => {
                self.call(access, Method::GET, id, fields(FIELDS_MINIMAL)).await
            }
            other => other,
        }
    }

    /// Makes a template, which Meta then reviews.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn create_template(&self, access: &Access, waba: &WabaId, new: &NewTemplate<'_>) -> Result<MadeTemplate> {
        let json = json!({"name": new.name, "language": new.language, "category": new.category,
            "parameter_format": new.parameter_format, "components": new.components});
        let call = Call { json: Some(json), ..Call::default() };
        self.call(access, Method::POST, &format!("{waba}/message_templates"), call).await
    }

    /// Replaces all components of a template, and its category where one is given.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn edit_template(
        &self,
        access: &Access,
        id: &str,
        category: Option<&str>,
        parameter_format: &str,
        components: &[Value],
    ) -> Result<()> {
        let mut json = json!({"components": components, "parameter_format": parameter_format});
        if let Some(category) = category {
            json["category"] = json!(category);
        }
        let call = Call { json: Some(json), ..Call::default() };
        self.call::<Success>(access, Method::POST, id, call).await?.check("the edit")
    }

    /// Deletes a template in all its languages, or in the one that has this ID.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn delete_template(&self, access: &Access, waba: &WabaId, name: &str, id: Option<&str>) -> Result<()> {
        let mut query = vec![("name", name.to_owned())];
        query.extend(id.map(|id| ("hsm_id", id.to_owned())));
        let path = format!("{waba}/message_templates");
        let call = Call { query, ..Call::default() };
        self.call::<Success>(access, Method::DELETE, &path, call).await?.check("the deletion")
    }
}
