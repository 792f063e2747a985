# The texts of the bot. Markup is Telegram's HTML; inserted values are escaped before they get here.

main-menu =
    <b>What shall we create?</b>

    Choose a section.
category-image = 🎨 Pictures
category-video = 🎬 Video
category-audio = 🗣 Speech
category-music = 🎵 Music
category-enhance = ✨ Enhance
category-avatar = 👤 Avatars
category-pick =
    <b>{ $category }</b>

    Choose a model.
model-card =
    <b>{ $title }</b>

    { $description }
form-question =
    <b>{ $title }</b> · step { $step } of { $steps }

    { $question }
form-question-text =
    { form-question }

    Send the text as a message: { $min } to { $max } characters.
confirm =
    <b>Check and run</b>

    Model: { $title }
    { $parameters }
processing =
    ⏳ <b>{ $title }</b>

    Generating. The result will come to this chat, usually within a minute.
result-ready = ✅ <b>{ $title }</b> is ready, see below.
result-caption = ✅ <b>{ $title }</b>
result-error =
    ⚠️ <b>{ $title }</b>

    { $reason }
    Reference: <code>{ $cid }</code>
help =
    <b>How it works</b>

    1. Choose a section and a model.
    2. Describe what you want and choose the aspect ratio.
    3. Confirm, and the result comes to this chat.

    If something did not work, send us the code from the error message: it shows us what happened.
    /start – menu, /cancel – cancel.
updating =
    ⏳ <b>The service is being updated…</b>

    Your tap was not carried out. Press “Refresh” in a minute.
updating-message = ⏳ The service is being updated… Your message is kept, I will answer it in a minute.
tap-waiting = ⏳ Got it, a few more seconds
checkout-declined = Payments are not available yet. You have not been charged.
hint-too-short = Too short: { $allowed } characters are needed.
hint-too-long = Too long: { $allowed } characters are needed.
hint-not-a-choice = Choose one of the buttons.
hint-unknown-command = There is no such command. Here is the menu.
hint-unknown-command-form = There is no such command. Let us go on from here:
hint-unexpected = To begin, choose a section.
hint-continue = Let us go on from here:
button-create = ✨ Create
button-generate = 🚀 Run
button-again = 🔁 Once more
button-back = ◀️ Back
button-cancel = ✖️ Cancel
button-menu = 🏠 Menu
button-refresh = 🔄 Refresh
button-help = ❓ Help
command-start = Open the menu
command-help = How it works
command-cancel = Cancel what is going on
