# Тексты бота. Разметка – HTML Telegram; подставляемые значения экранируются до подстановки.

main-menu =
    <b>Что создадим?</b>

    Выберите раздел.
category-image = 🎨 Картинки
category-video = 🎬 Видео
category-audio = 🗣 Озвучка
category-music = 🎵 Музыка
category-enhance = ✨ Улучшить
category-avatar = 👤 Аватары
category-pick =
    <b>{ $category }</b>

    Выберите модель.
model-card =
    <b>{ $title }</b>

    { $description }
form-question =
    <b>{ $title }</b> · шаг { $step } из { $steps }

    { $question }
form-question-text =
    { form-question }

    Отправьте текст сообщением: от { $min } до { $max } символов.
confirm =
    <b>Проверьте и запускайте</b>

    Модель: { $title }
    { $parameters }
processing =
    ⏳ <b>{ $title }</b>

    Генерирую. Пришлю результат сюда, обычно это меньше минуты.
result-ready = ✅ <b>{ $title }</b> – готово, результат ниже.
result-caption = ✅ <b>{ $title }</b>
result-error =
    ⚠️ <b>{ $title }</b>

    { $reason }
    Код обращения: <code>{ $cid }</code>
help =
    <b>Как это работает</b>

    1. Выберите раздел и модель.
    2. Опишите, что нужно, и выберите формат.
    3. Подтвердите – результат придёт в этот чат.

    Если что-то не сработало, пришлите нам код из сообщения об ошибке: по нему мы увидим, что случилось.
    /start – меню, /cancel – отменить.
updating =
    ⏳ <b>Сервис обновляется…</b>

    Нажатие не выполнено. Через минуту нажмите «Обновить».
updating-message = ⏳ Сервис обновляется… Сообщение сохранено, отвечу на него через минуту.
tap-waiting = ⏳ Принято, нужно ещё несколько секунд
checkout-declined = Оплата пока недоступна. Деньги не списаны.
hint-too-short = Слишком коротко: нужно { $allowed } символов.
hint-too-long = Слишком длинно: нужно { $allowed } символов.
hint-not-a-choice = Выберите одну из кнопок.
hint-unknown-command = Такой команды нет. Вот меню.
hint-unknown-command-form = Такой команды нет. Продолжим отсюда:
hint-unexpected = Чтобы начать, выберите раздел.
hint-continue = Продолжим отсюда:
button-create = ✨ Создать
button-generate = 🚀 Запустить
button-again = 🔁 Ещё раз
button-back = ◀️ Назад
button-cancel = ✖️ Отменить
button-menu = 🏠 Меню
button-refresh = 🔄 Обновить
button-help = ❓ Помощь
command-start = Открыть меню
command-help = Как это работает
command-cancel = Отменить текущее
